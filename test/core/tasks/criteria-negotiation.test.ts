/** When a manager is advised to ask for criteria, and that the suggested commands can be run as they stand. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import type { Criterion } from "../../../src/core/tasks/criteria.ts";
import { negotiateCriteria } from "../../../src/core/tasks/criteria-negotiation.ts";
import { words, World } from "../../harness.ts";

let w: World;
beforeEach(() => void (w = new World()));
afterEach(() => w.close());

const one = (status: string) => [{ status }] as unknown as Criterion[];

test("needed without criteria of the present work", () => {
  expect(negotiateCriteria("conveyor", "t1", [])).toMatchObject({ needed: true, reason: "no_criteria" });
  for (const status of ["deferred", "rejected"])
    expect(negotiateCriteria("conveyor", "t1", one(status))).toMatchObject({ needed: true, reason: "no_current_task_criteria" });
  for (const status of ["proposed", "accepted", "satisfied"]) {
    expect(negotiateCriteria("conveyor", "t1", one(status))).toEqual({
      needed: false,
      reason: "active_criteria_present",
      prompt: null,
      suggested_actions: [],
    });
  }
});

test("the three commands record what was agreed, also for a task with an odd name", async () => {
  await w.ok(["tasks", "--create", "odd name", "--goal", "g"]);
  const { suggested_actions } = negotiateCriteria("conveyor", "odd name", []);
  expect(suggested_actions).toHaveLength(4);
  for (const command of suggested_actions.slice(1)) await w.ok(words(command).slice(1));
  expect(w.rows("select status, source from acceptance_criteria order by id")).toEqual(
    ["accepted", "proposed", "deferred"].map((status) => ({ status, source: "worker_proposed" })),
  );
});
