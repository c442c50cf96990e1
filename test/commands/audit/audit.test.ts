/** `audit` and `mutation-audit`: order by instant, what is left out, and which decision is near. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { World } from "../../harness.ts";

let w: World;
let taskId: string;
beforeEach(async () => {
  w = new World();
  taskId = (await w.ok("tasks --create job --goal g")).id;
});
afterEach(() => w.close());

const command = (
  id: string,
  at: string,
  more: { type?: string; payload?: unknown; result?: unknown; state?: string; correlation?: string } = {},
) =>
  w
    .store()
    .db.query(
      "insert into commands (id, idempotency_key, created_at, updated_at, task_id, type, state, payload_json, result_json, correlation_id) values (?1, ?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )
    .run(
      id,
      at,
      taskId,
      more.type ?? "task_nudge",
      more.state ?? "succeeded",
      JSON.stringify(more.payload ?? {}),
      more.result === undefined ? null : JSON.stringify(more.result),
      more.correlation ?? null,
    );
const decision = (at: string, kind = "nudge") =>
  Number(
    w
      .store()
      .db.query("insert into manager_decisions (task_id, decision, reason, created_at, payload_json) values (?, ?, 'r', ?, '{}')")
      .run(taskId, kind, at).lastInsertRowid,
  );

test("rows of one second are ordered by instant, whatever their precision", async () => {
  command("b", "2026-01-01T00:00:01Z");
  command("a", "2026-01-01T00:00:01.500Z");
  command("c", "2026-01-01T00:00:01.200+00:00");
  expect((await w.ok("audit job --json")).commands.map(({ id }: { id: string }) => id)).toEqual(["b", "c", "a"]);
});

test("a chain names the decision that the command carries, wherever and however it names it", async () => {
  const id = decision("2026-01-01T00:00:00Z");
  command("a", "2026-01-01T00:00:01Z", { payload: { manager_decision: { decision_id: String(id) } } });
  command("b", "2026-01-01T00:00:02Z", { result: { manager_decision: { decision: { id } } } });
  command("c", "2026-01-01T00:00:03Z", { payload: { manager_decision: { id } } });
  command("d", "2026-01-01T00:00:04Z", { payload: { manager_decision: { id: 99 } } });
  const { correlation_chains } = await w.ok("audit job --json");
  expect(
    correlation_chains.map((chain: { command_id: string; manager_decision_id: number }) => [chain.command_id, chain.manager_decision_id]),
  ).toEqual([
    ["a", id],
    ["b", id],
    ["c", id],
  ]);
});

test("the nearest decision is found by instant: one without a fraction stands at the start of its second", async () => {
  const first = decision("2026-01-01T00:00:01Z");
  command("a", "2026-01-01T00:00:01.200Z");
  decision("2026-01-01T00:00:01.300Z");
  const record = (await w.run("mutation-audit job --json")).json().records[0];
  expect(record).toMatchObject({
    nearest_prior_decision: { id: first },
    warnings: ["missing_decision_metadata", "nearest_decision_unlinked"],
    ok: false,
  });
});

test("types of other programs that are named like members of objects do no harm", async () => {
  command("a", "2026-01-01T00:00:01Z", { type: "constructor" });
  command("b", "2026-01-01T00:00:02Z", { type: "__proto__" });
  w.store().db.run(
    `insert into telemetry_events values ('x', null, '${taskId}', '2026-01-01T00:00:01Z', 'system', '__proto__', 'info', '', '{}', '{}')`,
  );
  expect((await w.ok("replay job --json")).entries.map(({ actor }: { actor: string }) => actor)).toEqual(["workerctl", "workerctl"]);
  expect((await w.run("telemetry --summary --json")).stdout).toContain('"__proto__": 1');
  const { rollups } = await w.ok("telemetry metrics --window 9999w --json");
  expect(rollups.commands_by_type.constructor).toEqual({ succeeded: 1 });
});
