/** A crowd of workers under the real Claude Code, in long runs. */
import { ClaudeModel } from "../claude-model.ts";
import { describeClaude } from "../claude-world.ts";
import { LONG } from "../long.ts";
import { ClaudeSuiteWorld } from "./claude-world.ts";
import { crowdSuite, thinking } from "./crowd.ts";

if (LONG !== null) describeClaude("a crowd under Claude Code", () => crowdSuite(() => new ClaudeSuiteWorld(thinking(new ClaudeModel()))));
