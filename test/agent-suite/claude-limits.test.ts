/** What every agent must do at a usage limit, with the real Claude Code. */
import { describeClaude } from "../claude-world.ts";
import { ClaudeSuiteWorld } from "./claude-world.ts";
import { limitSuite } from "./limits.ts";

describeClaude("Claude Code, at its limit", () => limitSuite(() => new ClaudeSuiteWorld()));
