/** The suite of what every agent must do, run for the real Claude Code. */
import { describeClaude } from "../claude-world.ts";
import { ClaudeSuiteWorld } from "./claude-world.ts";
import { agentSuite } from "./suite.ts";

describeClaude("what every agent must do", () => agentSuite("Claude Code", () => new ClaudeSuiteWorld()));
