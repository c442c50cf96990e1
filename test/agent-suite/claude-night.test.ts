/** A night alone with the real Claude Code. */
import { describeClaude } from "../claude-world.ts";
import { ClaudeSuiteWorld } from "./claude-world.ts";
import { nightSuite } from "./night.ts";

describeClaude("a night with Claude Code", () => nightSuite(() => new ClaudeSuiteWorld()));
