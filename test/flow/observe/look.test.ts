/** A look changes nothing that waits for the manager, unless it is a program's or the manager's own; and what is taken is printed. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { World } from "../../harness.ts";
import { boundPair, event, meta, THREAD } from "../../rollout.ts";

let w: World;
beforeEach(async () => {
  w = new World();
  await boundPair(w, { worker: meta() + event({ type: "task_complete", last_agent_message: "done" }) });
  await w.ok("ingest w1");
  await w.ok(["enqueue-notify-manager", "t1", "--message", "first: \u001b[31mlook\nhere"]);
  await w.ok("dispatch --once --json");
  // Tests register themselves; here the manager is somebody else.
  w.store().db.run("update sessions set pid = null where name = 'm1'");
});
afterEach(() => w.close());

const waiting = async () => (await w.ok("manager-inbox t1 --json")).items.length;

test("a program's look takes them as before, and prints all of each, oldest first, once", async () => {
  expect(await waiting()).toBe(2);
  const seen = await w.ok("cycle t1");
  expect(seen.consumed_dispatch_notifications).toBe(2);
  expect(seen.consumed_messages.map((item: any) => [item.signal_type, item.consumed_manager_cycle_id])).toEqual([
    ["notify_manager", seen.cycle_id],
    ["worker_task_complete", seen.cycle_id],
  ]);
  expect(seen.consumed_messages[0]).toMatchObject({ message: "first: \u001b[31mlook\nhere", payload: { message: expect.any(String) } });
  expect(seen.consumed_messages[1].payload.worker_receipt.last_agent_message).toBe("done");
  expect(await waiting()).toBe(0);
  expect((await w.ok("cycle t1")).consumed_messages).toEqual([]);
  const [row] = w.rows<{ s: string }>("select status_json as s from manager_cycles order by id limit 1");
  expect(JSON.parse(row!.s)).not.toHaveProperty("consumed_messages");
});

test("a person's look at a terminal leaves them, --consume takes them, --no-consume leaves them to a program, too", async () => {
  expect(await w.ok("cycle t1", { ttyOut: true })).toMatchObject({ consumed_dispatch_notifications: 0, consumed_messages: [] });
  expect((await w.ok("cycle t1 --no-consume")).consumed_messages).toEqual([]);
  expect(await waiting()).toBe(2);
  expect((await w.ok("cycle t1 --consume", { ttyOut: true })).consumed_messages).toHaveLength(2);
  expect(await waiting()).toBe(0);
  expect((await w.run("cycle t1 --consume --no-consume")).exit).toBe(2);
});

test("at a terminal it is the manager's own look by its thread or by its process, and nobody else's", async () => {
  const at = (env: Record<string, string>) => w.ok("cycle t1", { ttyOut: true, env });
  expect((await at({ CODEX_THREAD_ID: THREAD.worker })).consumed_messages).toEqual([]);
  expect((await at({ CLAUDE_CODE_SESSION_ID: "33333333-3333-4333-8333-333333333333" })).consumed_messages).toEqual([]);
  expect((await at({ CODEX_THREAD_ID: THREAD.manager })).consumed_messages).toHaveLength(2);
});

test("a command below the manager's process is the manager's", async () => {
  w.store().db.run("update sessions set pid = ? where name = 'm1'", [process.ppid]);
  expect((await w.ok("cycle t1", { ttyOut: true })).consumed_messages).toHaveLength(2);
});

test("a look that fails takes nothing", async () => {
  await w.ok("manager-config t1 --require-acks");
  expect((await w.run("cycle t1 --consume")).exit).toBe(1);
  expect(await waiting()).toBe(2);
});

test("only what belongs to this binding is taken: messages of another task of the same manager stay", async () => {
  await w.ok("unbind --task t1");
  await w.ok("tasks --create t2 --goal g");
  await w.ok("bind --task t2 --worker w1 --manager m1");
  await w.ok(["enqueue-notify-manager", "t2", "--message", "second"]);
  await w.ok("dispatch --once --json --type notify_manager");
  const seen = await w.ok("cycle t2");
  expect(seen.consumed_messages.map((item: any) => item.message)).toEqual(["second"]);
});
