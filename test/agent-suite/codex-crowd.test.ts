/** A crowd of workers under the real Codex, by its protocol. */
import { describe } from "bun:test";
import { PlainModel } from "../codex-world.ts";
import { CodexSuiteWorld } from "./codex-world.ts";
import { crowdSuite, thinking } from "./crowd.ts";

describe("a crowd under Codex", () => crowdSuite(() => new CodexSuiteWorld("protocol", thinking(new PlainModel()))));
