/** What every agent must do at a usage limit, with the real Codex: by its protocol, and by its terminal. */
import { describe } from "bun:test";
import { CodexSuiteWorld } from "./codex-world.ts";
import { limitSuite } from "./limits.ts";

describe("Codex by protocol, at its limit", () => limitSuite(() => new CodexSuiteWorld()));
describe("Codex by its terminal, at its limit", () => limitSuite(() => new CodexSuiteWorld("tmux")));
