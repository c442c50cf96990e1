import { afterEach, beforeEach, expect, test } from "bun:test";
import { seedCriteria, takeBackCriteria } from "../../src/store/tasks/criteria.ts";
import { configRow, findConfig, saveConfig, takeBackConfig } from "../../src/store/tasks/manager-configs.ts";
import { createTask } from "../../src/store/tasks/tasks.ts";
import { World } from "../harness.ts";

let w: World;
beforeEach(() => {
  w = new World();
});
afterEach(() => w.close());

test("revision, event and telemetry only when something differs", () => {
  const store = w.store();
  const task = createTask(store, { name: "t", goal: "g" });
  expect(saveConfig(store, task.id, {})).toMatchObject({
    changed: true,
    config: { revision: 1, supervision_mode: "guided", require_acks: false },
  });
  const first = findConfig(store, task.id)!;
  expect(saveConfig(store, task.id, { mode: "guided" })).toMatchObject({
    changed: false,
    config: { revision: 1, updated_at: first.updated_at },
  });
  expect(saveConfig(store, task.id, { objective: "", tools: [" a ", "a", ""], requireAcks: true }, { source: "pair" })).toMatchObject({
    changed: true,
    config: { revision: 2, objective: "", tools: ["a"], require_acks: true },
  });
  expect(
    w.rows("select json_extract(payload_json, '$.source') as source from events where type = 'manager_config_recorded' order by id"),
  ).toEqual([{ source: null }, { source: "pair" }]);
  expect(
    w.rows(
      "select json_extract(attributes_json, '$.revision') as r from telemetry_events where event_type = 'manager_config_recorded' order by timestamp",
    ),
  ).toEqual([{ r: 1 }, { r: 2 }]);
});

test("what is taken back is as it was, but for what somebody else has changed since", async () => {
  const store = w.store();
  const task = createTask(store, { name: "t", goal: "g" });
  saveConfig(store, task.id, { objective: "first", tools: ["a"] });
  const before = configRow(store, task.id);
  const saved = saveConfig(store, task.id, { objective: "second" }).config;
  takeBackConfig(store, before, saved);
  expect(configRow(store, task.id)).toEqual(before);
  const again = saveConfig(store, task.id, { objective: "second" }).config;
  const theirs = saveConfig(store, task.id, { objective: "third" }).config;
  takeBackConfig(store, before, again);
  expect(findConfig(store, task.id)).toEqual(theirs);

  const [mine, touched] = seedCriteria(store, task.id, ["mine", "touched"]);
  await w.ok(["criteria", "t", "--satisfy", String(touched), "--proof", "seen"]);
  takeBackCriteria(store, task.id, [mine!, touched!]);
  expect(w.rows("select id from acceptance_criteria")).toEqual([{ id: touched! }]);
});

test("clearing comes before what is given", () => {
  const store = w.store();
  const task = createTask(store, { name: "t", goal: "g" });
  saveConfig(store, task.id, { guidelines: ["a"], objective: "o", grants: ["allow_pr"], requireAcks: true });
  const { config } = saveConfig(store, task.id, {
    clear: ["guidelines", "objective", "permissions"],
    grants: ["context.fetch_prs"],
    requireAcks: false,
  });
  expect(config).toMatchObject({ guidelines: [], objective: null, require_acks: false, permissions: { repo: [], context: ["fetch_prs"] } });
});

test("the ledger is seeded once with each new text", () => {
  const store = w.store();
  const task = createTask(store, { name: "t", goal: "g" });
  expect(seedCriteria(store, task.id, [" a ", "b", "a", " "])).toEqual([1, 2]);
  expect(seedCriteria(store, task.id, ["b"])).toEqual([]);
  expect(w.rows("select criterion, status, source from acceptance_criteria")).toEqual([
    { criterion: "a", status: "accepted", source: "manager_inferred" },
    { criterion: "b", status: "accepted", source: "manager_inferred" },
  ]);
  expect(w.rows("select payload_json as p from events where type = 'manager_acceptance_criteria_seeded'")).toEqual([
    { p: '{"criterion_ids":[1,2],"source":"manager_config"}' },
  ]);
});
