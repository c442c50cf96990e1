/** The suite of what every agent must do, run for the real Claude Code. */
import { describeClaude } from "../claude-world.ts";
import { ClaudeSuiteWorld } from "./claude-world.ts";
import { agentSuite } from "./suite.ts";

// Texts that several processes paste at the same moment run into one: it reads them all before it has drawn the first.
const LATER = ["spoken to by several at once"] as const;
describeClaude("what every agent must do", () => agentSuite("Claude Code", () => new ClaudeSuiteWorld(), ...LATER));
