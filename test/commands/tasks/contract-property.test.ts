/** Random sequences of the contract's commands against the model: answers, exit codes, and everything left in the database. */
import { expect, test } from "bun:test";
import type { Store } from "../../../src/store/store.ts";
import { World } from "../../harness.ts";
import { LONG } from "../../long.ts";
import { Model, Random, type Step } from "./contract-model.ts";

const RUNS = LONG === null ? 1500 : 5000;
const PARTS = 10;
const LONGEST = 10;

const quoted = (steps: readonly Step[]) =>
  steps.map(({ words, stdin }) => words.join(" ") + (stdin === undefined ? "" : ` < ${stdin}`)).join("\n");

/** Everything on record of the task that the model knows. */
function compareRecords(store: Store, model: Model, taskId: string): void {
  const of = <T>(sql: string): T[] => store.db.query(sql).all(taskId) as T[];
  expect(of("select id, criterion as text, source, status from acceptance_criteria where task_id = ? order by id")).toEqual(
    model.criteria.map(({ proof: _, ...row }) => row),
  );
  expect(of<{ revision: number }>("select revision from manager_configs where task_id = ?")[0]?.revision).toBe(model.config?.revision);
  expect(of("select state from tasks where id = ?")).toEqual([{ state: model.done ? "done" : "candidate" }]);
  expect(of<{ state: string }>("select state from commands where task_id = ? order by rowid").map(({ state }) => state)).toEqual(
    model.commands,
  );
  expect(of("select id, decision as kind from manager_decisions where task_id = ? order by id")).toEqual(model.decisions);
  expect(of("select count(*) as n from worker_handoffs where task_id = ?")).toEqual([{ n: model.handoffs }]);
  const events = of<{ type: string; n: number }>(
    "select type, count(*) as n from events where task_id = ? and type <> 'task_created' group by type order by type",
  );
  expect(Object.fromEntries(events.map(({ type, n }) => [type, n]))).toEqual(model.events);
  const telemetry = of<{ n: number }>(
    "select count(*) as n from telemetry_events where task_id = ? and event_type like 'acceptance_criterion_%'",
  )[0]!.n;
  expect(telemetry).toBe((model.events.acceptance_criterion_added ?? 0) + (model.events.acceptance_criterion_updated ?? 0));
}

async function sequence(w: World, store: Store, seed: number): Promise<void> {
  const random = new Random(seed);
  const task = `t${seed}`;
  const { id } = await w.ok(["tasks", "--create", task, "--goal", "G"]);
  const model = new Model(task, random);
  const steps: Step[] = [];
  try {
    for (let left = 1 + random.below(LONGEST); left > 0; left--) {
      const step = model.step();
      steps.push(step);
      const { exit, stdout, stderr } = await w.run(step.words, step.stdin === undefined ? {} : { stdin: step.stdin });
      if (exit !== step.exit) throw new Error(`exit ${exit} instead of ${step.exit}: ${stderr}`);
      const answer = stdout === "" ? null : JSON.parse(stdout);
      if (step.shows) expect(answer).toMatchObject(step.shows);
      step.then?.(answer);
      if (step.words.includes("--review") && exit === 0) model.reviewed.add(answer.manager_continuation_id);
    }
    compareRecords(store, model, id);
  } catch (error) {
    throw new Error(`seed ${seed}:\n${quoted(steps)}\n${(error as Error).message}`);
  }
}

for (let part = 0; part < PARTS; part++) {
  test(`${RUNS / PARTS} random sequences, part ${part + 1}`, async () => {
    const w = new World();
    try {
      const store = w.keepOpen();
      for (let seed = part * (RUNS / PARTS); seed < (part + 1) * (RUNS / PARTS); seed++) await sequence(w, store, seed);
    } finally {
      w.close();
    }
  }, 120_000);
}
