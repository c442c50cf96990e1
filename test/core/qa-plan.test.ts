/** Every command that a checklist or a trigger names exists and parses. */
import { describe, expect, test } from "bun:test";
import { parse } from "../../src/args/parse.ts";
import { LOOP_TRIGGERS } from "../../src/core/loops/triggers.ts";
import type { QaPlan } from "../../src/core/qa/checklist.ts";
import { QA_SCENARIOS, qaPlan } from "../../src/core/qa/plan.ts";
import { findVerb, isGroup } from "../../src/verbs.ts";
import { words } from "../harness.ts";

/** The words of `conveyor …`, checked against the declaration; what is wrong with them, or null. */
async function wrong(line: string): Promise<string | null> {
  const argv = words(line.replace(/\bID\b/g, "1"));
  if (argv[0] !== "conveyor") return null;
  const depth = isGroup(argv[1]!) || findVerb(`${argv[1]} ${argv[2]}`) ? 3 : 2;
  const entry = findVerb(argv.slice(1, depth).join(" "));
  if (!entry?.load) return `there is no ${argv[1]}`;
  try {
    parse((await entry.load()).default.spec, argv.slice(depth));
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

const commandsOf = (plan: QaPlan): string[] =>
  plan.steps.flatMap((step) => [...step.matchAll(/`([^`]+)`/g)].flatMap((match) => match[1]!.split(" && ")));

describe("checklists", () => {
  for (const scenario of QA_SCENARIOS) {
    const lines = commandsOf(qaPlan(scenario)).filter((line) => line.startsWith("conveyor "));
    test(`${scenario} has commands`, () => expect(lines.length).toBeGreaterThan(5));
    for (const line of lines) test(line, async () => expect(await wrong(line)).toBeNull());
  }
});

describe("trigger actions", () => {
  for (const line of LOOP_TRIGGERS.flatMap(({ operator_actions }) => operator_actions).flatMap((action) => action.split(" && "))) {
    test(line, async () => expect(await wrong(line)).toBeNull());
  }
});

test("what each scenario must have", () => {
  for (const scenario of QA_SCENARIOS) {
    const plan = qaPlan(scenario);
    expect([plan.scenario, plan.steps.length > 0, plan.expected_observations.length > 0]).toEqual([scenario, true, true]);
  }
  expect(qaPlan("ralph-loop").correlation_markers).toHaveLength(13);
  expect(qaPlan("ralph-loop").evidence_template).toMatchObject({
    dispatch_correlation_ids: ["ralph-iter-1-pr", "ralph-iter-1-ci", "ralph-iter-1-ci-fix", "ralph-iter-1-merge", "ralph-iter-1-clear"],
  });
  expect(qaPlan("adversarial-triggers").trigger_tasks?.map(({ name }) => name)).toEqual(LOOP_TRIGGERS.map(({ name }) => name));
});
