/** The controlled phrases: each of its own family, near misses of none. */
import { describe, expect, test } from "bun:test";
import { classifyPrompt, LOOP_TRIGGERS } from "../../../src/core/loops/triggers.ts";

for (const trigger of LOOP_TRIGGERS) {
  describe(trigger.name, () => {
    test("its canonical phrase is its own", () => expect(classifyPrompt(trigger.canonical_phrase)?.name).toBe(trigger.name));
    for (const control of trigger.negative_controls) test(`ordinary prose: ${control}`, () => expect(classifyPrompt(control)).toBeNull());
  });
}

const matches: [string, string][] = [
  ["  Please RUN this\tas an\nadversarial   gated loop, thanks", "loop-gate-trigger"],
  ["run this as an adversarially gated ralph loop", "loop-gate-trigger"],
  ["require adversarial proof before the worker gets another iteration", "iteration-gate-trigger"],
  ["require adversarial proof before another worker iteration!", "iteration-gate-trigger"],
  ["do not finish until you have tried to disprove it", "finish-gate-trigger"],
  ["Do not let this finish until the manager has tried to disprove it", "finish-gate-trigger"],
  ["before continuing, record the strongest realistic failure mode, the check, and the result", "worker-directed-trigger"],
  ["do not finish until you have tried to disprove it; run this as an adversarial gated loop", "loop-gate-trigger"],
];
for (const [prompt, name] of matches) test(`${name}: ${prompt}`, () => expect(classifyPrompt(prompt)?.name).toBe(name));

for (const prompt of [
  "",
  "Rerun this as an adversarially gated Ralph loop.",
  "Run this as an adversarially gated Ralph loops",
  "Run this as an adversarially-gated Ralph loop.",
  "Don't finish until you have tried to disprove it",
]) {
  test(`nothing: ${JSON.stringify(prompt)}`, () => expect(classifyPrompt(prompt)).toBeNull());
}
