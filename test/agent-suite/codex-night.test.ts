/** A night alone with the real Codex, by its protocol. */
import { describe } from "bun:test";
import { UnaskedWorld } from "./codex-world.ts";
import { nightSuite } from "./night.ts";

describe("a night with Codex", () => nightSuite(() => new UnaskedWorld()));
