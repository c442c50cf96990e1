/** A turn that an error ended: told as failed by cycle, receipt, message, telemetry and the records, never as one that ended well. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { World } from "../../harness.ts";
import { boundPair, event, meta } from "../../rollout.ts";

let w: World;
beforeEach(() => void (w = new World()));
afterEach(() => w.close());

const USAGE = { message: "You’ve hit your usage limit.", codex_error_info: "usage_limit_exceeded" };
const failed = (error: unknown, second: number) => event({ type: "task_complete", turn_id: "t", last_agent_message: null, error }, second);
const noted = (primary: unknown, second: number) =>
  event({ type: "token_count", info: null, rate_limits: { primary, secondary: null } }, second);
const window = (resets: string) => ({ used_percent: 100, window_minutes: 300, resets_at: Date.parse(resets) / 1000 });
const inbox = async () => (await w.ok("manager-inbox t1 --json")).items as { payload: Record<string, any> }[];
const told = { kind: "usage_limit", message: USAGE.message, resets_at: "2020-01-01T05:00:00.000Z" };

test("cycle, receipt, spans, telemetry and lists of cycles tell it, and state keeps its three values", async () => {
  await boundPair(w, {
    worker: meta() + event({ type: "task_started" }) + noted(window("2020-01-01T05:00:00Z"), 2) + failed(USAGE, 3),
  });
  const seen = await w.ok("cycle t1");
  expect(seen).toMatchObject({ state: "idle", turn: "failed", turn_error: told, task_completed: true });
  expect(seen.manager_context.worker_receipt).toMatchObject({ turn_error: told, turn_id: "t", last_agent_message: null });
  const [row] = w.rows<{ a: string; s: string }>(
    "select attributes_json as a, summary as s from telemetry_events where event_type = 'manager_cycle_succeeded'",
  );
  expect([JSON.parse(row!.a), row!.s]).toEqual([
    expect.objectContaining({ turn: "failed", turn_error: told }),
    expect.stringContaining("its turn failed: usage limit, until"),
  ]);
  const [span] = w.rows<{ a: string }>("select attributes_json as a from manager_cycle_spans where phase = 'infer_worker_state'");
  expect(JSON.parse(span!.a)).toMatchObject({ turn: "failed", turn_error: told });
  expect(JSON.stringify(await w.ok("telemetry task t1 --json"))).toContain('"turn":"failed","turn_error":{"kind":"usage_limit"');
});

test("the manager hears that it failed, why and until when, once, as worker_task_complete", async () => {
  await boundPair(w, { worker: meta() + noted(window("2020-01-01T05:00:00Z"), 2) + failed(USAGE, 3) });
  await w.ok("cycle t1");
  await w.ok("dispatch --once --json");
  await w.ok("dispatch --once --json");
  const items = await inbox();
  expect(items).toHaveLength(1);
  expect(items[0]!.payload.message).toMatch(/^w1's turn failed: usage limit, until (2020-01-01 )?\d\d:\d\d\. /);
  expect(items[0]!.payload.message).not.toContain("finished");
  expect(items[0]!.payload).toMatchObject({ signal: "worker_task_complete", worker_receipt: { turn_error: told } });
  const [row] = w.rows<{ a: string }>("select attributes_json as a from telemetry_events where event_type = 'dispatch_signal_detected'");
  expect(JSON.parse(row!.a)).toMatchObject({ turn_error: { kind: "usage_limit" } });
});

test("a turn that ended well says so, with no error beside it", async () => {
  await boundPair(w, { worker: meta() + event({ type: "task_complete", last_agent_message: "done", error: null }) });
  const seen = await w.ok("cycle t1");
  expect(seen).toMatchObject({ turn: "completed", turn_error: null });
  expect(seen.manager_context.worker_receipt).toMatchObject({ turn_error: null, last_agent_message: "done" });
  await w.ok("dispatch --once --json");
  expect((await inbox())[0]!.payload.message).toContain("seems to have finished a turn");
});

test("the next turn is a new one; the receipt keeps the failure until that ends", async () => {
  const { worker } = await boundPair(w, { worker: meta() + failed(USAGE, 2) });
  worker.append(event({ type: "task_started" }, 3));
  const seen = await w.ok("cycle t1");
  expect(seen).toMatchObject({ state: "busy", turn: "open", turn_error: null });
  expect(seen.manager_context.worker_receipt.turn_error).toMatchObject({ kind: "usage_limit", resets_at: null });
  worker.append(event({ type: "task_complete", last_agent_message: "ok" }, 4));
  expect((await w.ok("cycle t1")).manager_context.worker_receipt.turn_error).toBeNull();
});

test("the reset comes from the newest limits before the failure: not from later ones, nor from a count that notes none", async () => {
  const { worker } = await boundPair(w, {
    worker:
      meta() + noted(window("2020-01-01T03:00:00Z"), 1) + noted(window("2020-01-01T05:00:00Z"), 2) + noted(null, 3) + failed(USAGE, 4),
  });
  worker.append(noted(window("2020-01-01T09:00:00Z"), 5));
  expect((await w.ok("cycle t1")).turn_error.resets_at).toBe("2020-01-01T05:00:00.000Z");
});

test("only a spent limit has a reset; anything that stands in place of an error is one", async () => {
  const { worker } = await boundPair(w, { worker: meta() + noted(window("2020-01-01T05:00:00Z"), 1) });
  for (const [error, kind] of [
    [{ message: "m", codex_error_info: "internal_server_error" }, "server_error"],
    [{ message: "m", codex_error_info: { http_connection_failed: { http_status_code: 401 } } }, "auth"],
    ["it broke", "other"],
    [{}, "other"],
    [true, "other"],
  ] as const) {
    worker.append(failed(error, 2));
    expect(await w.ok("cycle t1")).toMatchObject({ turn: "failed", turn_error: { kind, resets_at: null } });
  }
});

test("the replay page tells a failed turn as failed, with the agent's words", async () => {
  await boundPair(w, { worker: meta() + event({ type: "task_started" }, 1) + failed(USAGE, 2) });
  await w.ok("ingest w1");
  // Rollouts of tests are older than their binding.
  w.store().db.run("update bindings set created_at = '2020-01-01T00:00:00.000Z'");
  await w.ok(["replay", "t1", "--format", "html", "--output", `${w.dir}/page.html`]);
  const page = await Bun.file(`${w.dir}/page.html`).text();
  expect(page).toContain("Turn of");
  expect(page).toMatch(/failed after 1\.0 s: [^"]*usage limit/);
});
