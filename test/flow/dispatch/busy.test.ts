/** Messages to a worker that is busy: not yet, then delivered, and one story whoever looks and whoever dies meanwhile. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join, resolve } from "node:path";
import { deliver } from "../../../src/flow/delivery/deliver.ts";
import { recipientOf } from "../../../src/flow/reach/recipient.ts";
import { deliverySteps } from "../../../src/store/deliveries.ts";
import { needSession } from "../../../src/store/sessions/sessions.ts";
import { capturePane } from "../../../src/system/terminal/panes.ts";
import { tmuxResult } from "../../../src/system/terminal/tmux.ts";
import { CodexWorld, PlainModel } from "../../codex-world.ts";
import { until } from "../../harness.ts";

const SRC = resolve(import.meta.dir, "../../../src/main.ts");
const model = new PlainModel();
const w = new CodexWorld(model.script, { launch: "tmux" });
let worker = "";
beforeAll(async () => {
  worker = (await w.ok(["start-worker", "--name", "w1", "--cwd", w.project, "--timeout-seconds", "30"])).codex_session_id;
  const manager = await w.ok(["start-manager", "--name", "m1", "--cwd", w.project, "--timeout-seconds", "30"]);
  await w.ok("tasks --create t1 --goal Ship");
  await w.ok("bind --task t1 --worker w1 --manager m1");
  await w.turns(worker, 1);
  await w.turns(manager.codex_session_id, 1);
  await w.ok("dispatch --ingest --limit 100 --json");
}, 120_000);
afterAll(() => w.close());

const times = (text: string) => w.userTexts(worker).filter((said) => said === text).length;
const screen = () => capturePane(w.env, "codex-w1", 0);
const keys = (...words: string[]) => tmuxResult(w.env, ["send-keys", "-t", "=codex-w1:", ...words]);
const queue = async (message: string): Promise<string> =>
  (await w.ok(["enqueue-nudge-worker", "t1", "--message", message, "--json"])).command_id;
const only = async () => (await w.ok("dispatch --type nudge_worker --json")).processed;
const story = (id: string) =>
  w.rows<Record<string, string>>(
    `select c.state as command, a.state as attempt, n.state as notification, d.state as delivery, d.proof from commands c
     join command_attempts a on a.command_id = c.id join routed_notifications n on n.command_id = c.id join deliveries d on d.command_id = c.id
     where c.id = ?`,
    id,
  );
const NOT_YET = [{ command: "attempted", attempt: "running", notification: "pending", delivery: "typed", proof: "pending" }];
const DELIVERED = [{ command: "succeeded", attempt: "succeeded", notification: "delivered", delivery: "delivered", proof: "seen" }];
const FAILED = [{ command: "failed", attempt: "failed", notification: "failed", delivery: "typed", proof: "pending" }];
const failures = (id: string) =>
  w.rows(
    "select 1 from telemetry_events where event_type = 'dispatch_command_failed' and json_extract(correlation_json, '$.command_id') = ?",
    id,
  ).length;

/** Makes the worker run a command until the gate is opened. */
async function busy(name: string): Promise<() => Promise<void>> {
  const gate = join(w.dir, name);
  await w.idle(worker);
  await until("the composer", async () => !(await screen()).includes("esc to interrupt"));
  await w.ok(["session-nudge", "w1", `run until [ -e ${gate} ]; do sleep 0.1; done`]);
  await until("the command", async () => (await screen()).includes("background terminal running"));
  return async () => void (await Bun.write(gate, ""));
}

const watching = () =>
  Bun.spawn([process.execPath, SRC, "dispatch", "--watch", "--interval", "0.5"], {
    env: w.env,
    cwd: w.work,
    stdout: "ignore",
    stderr: "inherit",
  });

test("once to a busy worker: not yet, and delivered for whoever looks after it has arrived", async () => {
  const open = await busy("gate-1");
  const id = await queue("word one");
  expect(await only()).toMatchObject([{ command_id: id, state: "not_yet", side_effect_started: true, side_effect_completed: false }]);
  expect(story(id)).toEqual(NOT_YET);
  // Its lease ends, its dispatcher is gone, it waits in sight: still not yet, and nothing to tell of.
  w.store().db.run("update commands set claim_expires_at = '2020-01-01T00:00:00Z' where state = 'attempted'");
  expect(await only()).toEqual([]);
  expect(story(id)).toEqual(NOT_YET);
  await open();
  await until("the text", () => times("word one") === 1);
  await w.ok("deliveries t1 --json");
  expect(story(id)).toEqual(DELIVERED);
  expect(w.rows("select error, json_extract(result_json, '$.state') as state from commands where id = ?", id)).toEqual([
    { error: null, state: "delivered" },
  ]);
  expect(await only()).toEqual([]);
  expect([times("word one"), failures(id)]).toEqual([1, 0]);
}, 90_000);

test("watches that are killed and started again while it waits", async () => {
  const open = await busy("gate-2");
  const first = watching();
  const id = await queue("word two");
  await until("the wait", () => story(id)[0]?.delivery === "typed", 30);
  first.kill("SIGKILL");
  await first.exited;
  const second = watching();
  // The second has taken the message over when the claim is its own.
  await until("the other holder", () => w.rows("select 1 from message_claims where pid = ?", second.pid).length, 20);
  expect(story(id)).toEqual(NOT_YET);
  await open();
  await until("the proof", () => story(id)[0]?.command === "succeeded", 30);
  second.kill("SIGTERM");
  await second.exited;
  expect(story(id)).toEqual(DELIVERED);
  expect([times("word two"), failures(id)]).toEqual([1, 0]);
}, 90_000);

test("put back by an interrupt it waits no more; sent by a person later, the late proof settles everything", async () => {
  const open = await busy("gate-3");
  const id = await queue("word three");
  await only();
  expect(story(id)).toEqual(NOT_YET);
  await keys("C-c");
  await until("the text in the composer", async () => (await screen()).includes("› word three"));
  await w.idle(worker);
  w.store().db.run("update commands set claim_expires_at = '2020-01-01T00:00:00Z' where state = 'attempted'");
  expect(await only()).toMatchObject([{ command_id: id, state: "failed", side_effect_started: true }]);
  expect(story(id)).toEqual(FAILED);
  expect(times("word three")).toBe(0);
  await keys("C-m");
  await until("the text", () => times("word three") === 1);
  expect(await only()).toMatchObject([{ command_id: id, state: "delivered", proof: "seen" }]);
  expect(story(id)).toEqual(DELIVERED);
  expect((await w.ok("dispatch status --json")).uncertain.count).toBe(0);
  await open();
}, 90_000);

test("no Enter goes to a text that an interrupt has put back while its proof is awaited", async () => {
  const open = await busy("gate-4");
  const cx = w.context();
  const sending = deliver(cx, cx.store(), {
    recipient: recipientOf(needSession(cx.store(), "w1")),
    text: "word four",
    origin: "test",
    proofMs: 8000,
  });
  await until("the wait", async () => (await screen()).includes("↳ word four"));
  await keys("C-c");
  const sent = await sending;
  expect(sent).toMatchObject({ state: "typed", accepted: false, error: expect.stringContaining("an interrupt has put the text back") });
  expect(deliverySteps(cx.store(), sent.id).map(({ step }) => step)).not.toContain("enter again");
  expect(times("word four")).toBe(0);
  expect(await screen()).toContain("› word four");
  await keys("C-c");
  await open();
}, 90_000);

test("each look reads what is new only, and keeps its place", async () => {
  const [before] = w.rows<{ id: string; looked_to: number; rollout_path: string }>(
    "select id, looked_to, rollout_path from deliveries where state = 'typed'",
  );
  const { size } = Bun.file(before!.rollout_path);
  await w.ok("deliveries --json");
  const [after] = w.rows<{ looked_to: number }>("select looked_to from deliveries where state = 'typed'");
  expect(after!.looked_to).toBeGreaterThanOrEqual(before!.looked_to);
  expect(after!.looked_to).toBeGreaterThanOrEqual(size);
});
