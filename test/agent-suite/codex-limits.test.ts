/** What every agent must do at a usage limit, with the real Codex: by its protocol, and by its terminal. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { CodexSuiteWorld, UnaskedWorld } from "./codex-world.ts";
import { Limits, limitSuite } from "./limits.ts";

describe("Codex by protocol, at its limit", () => limitSuite(() => new UnaskedWorld()));
describe("Codex by its terminal, at its limit", () => limitSuite(() => new UnaskedWorld("tmux")));

describe("Codex that offers a smaller model at its limit", () => {
  const world = new CodexSuiteWorld();
  const at = new Limits(world);
  beforeAll(() => at.start(), 120_000);
  afterAll(() => world.close());

  test("is not gone on with over that page, though its protocol would take it; once a person has answered, it is", async () => {
    const resets = at.inAnHour();
    await at.dies(resets);
    await at.terminal.page("rate_limit");
    const page = await at.terminal.text();
    at.jumpTo(resets);
    expect(await at.resumed()).toMatchObject([{ state: "parked", error_type: "Disturbed" }]);
    expect(await at.terminal.text()).toBe(page);
    expect(at.told()).toBe(0);
    await at.terminal.keys("Escape");
    await at.terminal.page("idle");
    expect(await at.resumed()).toMatchObject([{ state: "delivered", proof: "seen" }]);
    expect(at.told()).toBe(1);
  }, 120_000);
});
