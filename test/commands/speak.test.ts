/** session-nudge, nudge, interrupt, stop and deliveries on panes that show no known agent. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { capturePane } from "../../src/system/terminal/panes.ts";
import { hasSession, newSession } from "../../src/system/terminal/sessions.ts";
import { until, World } from "../harness.ts";
import { event, meta } from "../rollout.ts";

const world = new World();
world.realTime = true;
const helper = Bun.spawn(["sleep", "600"]);
const rollout = "codex/sessions/2026/05/11/rollout-2026-05-11T14-00-00-11111111-1111-4111-8111-111111111111.jsonl";
/** The rollout of a thread of its own: one thread is on record under one name at a time. */
const threadOf = (digit: number) => {
  const id = "11111111-1111-4111-8111-111111111111".replaceAll("1", String(digit));
  const head = { type: "session_meta", timestamp: "2026-05-11T14:00:00Z", payload: { id, cwd: "/" } };
  return world.file(rollout.replace(/[0-9a-f-]{36}(?=\.jsonl$)/, id), `${JSON.stringify(head)}\n`);
};

beforeAll(async () => {
  await newSession(world.env, { name: "talk", cwd: "/", argv: ["cat"] });
  for (const [name, session, digit] of [
    ["w1", "talk", 1],
    ["w2", "nowhere", 2],
  ] as const) {
    const path = await threadOf(digit);
    await world.ok(["register-worker", "--name", name, "--pid", String(helper.pid), "--codex-session", path, "--tmux-session", session]);
  }
  await world.ok(["register-worker", "--name", "silent", "--pid", String(helper.pid), "--codex-session", await threadOf(4)]);
});
afterAll(() => {
  helper.kill();
  world.close();
});

const screen = (name: string) => capturePane(world.env, name, 0);

test("a text reaches a pane without an agent, is delivered without proof, and stands in the list", async () => {
  const text = "--x $(id) `id` 'q' -- ; #";
  const sent = await world.ok(["session-nudge", "w1", "--", text]);
  expect(sent).toMatchObject({
    session: "w1",
    target: "talk",
    text,
    side_effect_started: true,
    side_effect_completed: true,
    transport: "tmux",
    proof: "unavailable",
  });
  await until("the text", async () => (await screen("talk")).includes(text));
  const [row] = await world.ok("deliveries w1 --json");
  expect(row).toMatchObject({
    id: sent.delivery_id,
    session: "w1",
    state: "delivered",
    proof: "unavailable",
    uncertain: false,
    origin: "session-nudge",
  });
  const explained = await world.ok(["deliveries", "--explain", sent.delivery_id, "--json"]);
  expect(explained.steps.map((each: { step: string }) => each.step)).toEqual(["reach", "begun", "delivered"]);
  expect((await world.run(["deliveries", "--explain", sent.delivery_id])).stdout).toContain("by tmux");
});

test("what cannot be reached is refused, recorded, and gets no keys", async () => {
  for (const [name, said] of [
    ["w2", "nowhere"],
    ["silent", "no tmux session"],
    ["nobody", "nobody"],
  ] as const) {
    const refused = await world.run(["session-nudge", name, "hello?"]);
    expect(refused).toMatchObject({ exit: 1, stdout: "" });
    expect(refused.stderr).toContain(said);
  }
  expect(await screen("talk")).not.toContain("hello?");
  const rows = world.rows(
    "select json_extract(payload_json, '$.session') as session, json_extract(payload_json, '$.success') as success from events where type = 'session_nudged' order by id",
  );
  expect(rows).toEqual(
    [
      ["w1", 1],
      ["w2", 0],
      ["silent", 0],
      ["nobody", 0],
    ].map(([session, success]) => ({ session, success })) as never,
  );
  expect((await world.ok("deliveries w2 --json"))[0]).toMatchObject({ state: "failed", side_effect_started: false, uncertain: false });
  expect(await world.run("deliveries nothing-of-this-name")).toMatchObject({ exit: 1 });
});

test("a dry run asks and touches nothing", async () => {
  expect(await world.ok(["session-nudge", "w2", "later", "--dry-run"])).toMatchObject({
    dry_run: true,
    target: "nowhere",
    side_effect_started: false,
    delivery_id: null,
  });
  expect(await world.ok("session-interrupt w2 --dry-run")).toMatchObject({ dry_run: true, key: "C-c", sent: false });
});

test("nudge speaks to the session of a name that is no worker, with the same record", async () => {
  expect(await world.ok(["nudge", "w1", "by nudge"])).toMatchObject({ session: "w1", side_effect_completed: true });
  expect(world.rows("select count(*) as n from telemetry_events where event_type = 'session_nudge_succeeded'")).toEqual([{ n: 3 }]);
  const unknown = await world.run(["nudge", "nobody", "x"]);
  expect(unknown.exit).toBe(1);
  expect(unknown.stderr).toContain("conveyor sessions --state all; conveyor list");
});

test("a program that is no agent is interrupted by C-c, a copy mode in front of it is left", async () => {
  await newSession(world.env, {
    name: "loop",
    cwd: "/",
    argv: ["sh", "-c", "trap 'echo GOT-INT' INT; echo READY; while :; do sleep 0.05; done"],
  });
  await world.ok([
    "register-worker",
    "--name",
    "w3",
    "--pid",
    String(helper.pid),
    "--codex-session",
    await threadOf(5),
    "--tmux-session",
    "loop",
  ]);
  await until("the loop", async () => (await screen("loop")).includes("READY"));
  await Bun.spawn(["tmux", "copy-mode", "-t", "=loop:"], { env: world.env }).exited;
  expect(await world.ok(["session-interrupt", "w3", "--followup", "stop and say"])).toMatchObject({
    key: "C-c",
    sent: true,
    target: "loop",
    followup: "stop and say",
  });
  await until(
    "the interrupt and the text",
    async () => (await screen("loop")).includes("GOT-INT") && (await screen("loop")).includes("stop and say"),
  );
});

test("only what tmux would press is taken for a key", async () => {
  for (const key of ["Ctrl-C", "C-", "escape!", "Enter Enter"]) {
    const refused = await world.run(["session-interrupt", "w1", "--dry-run", "--key", key]);
    expect([refused.exit, refused.stdout]).toEqual([2, ""]);
    expect(refused.stderr).toContain(JSON.stringify(key));
  }
  for (const key of ["Escape", "C-c", "^C", "M-C-x", "y", "-", "F12", "enter"])
    expect(await world.ok(["session-interrupt", "w1", "--dry-run", `--key=${key}`])).toMatchObject({ key });
});

test("a compact request reaches what is no agent, whatever its rollout says of a turn", async () => {
  await newSession(world.env, { name: "open", cwd: "/", argv: ["cat"] });
  const path = await world.file(
    "codex/sessions/2026/05/11/rollout-2026-05-11T14-00-00-33333333-3333-4333-8333-333333333333.jsonl",
    meta("33333333-3333-4333-8333-333333333333") + event({ type: "task_started" }),
  );
  await world.ok(["register-worker", "--name", "w9", "--pid", String(helper.pid), "--codex-session", path, "--tmux-session", "open"]);
  await world.ok(["register-manager", "--name", "m9", "--pid", String(helper.pid), "--codex-session", await threadOf(6)]);
  await world.ok("tasks --create t9 --goal g");
  await world.ok("bind --task t9 --worker w9 --manager m9");
  await world.ok("manager-config t9 --allow-worker-compact-clear");
  await world.ok("handoff t9 --summary s");
  expect(await world.ok("request-worker-compact t9")).toMatchObject({ send_result: { proof: "unavailable", side_effect_completed: true } });
  await until("the command", async () => (await screen("open")).includes("/compact"));
});

test("stop says a last word, ends the terminal and the session", async () => {
  const stopped = await world.run(["stop", "w1", "--message", "bye"]);
  expect(stopped.stdout).toContain("stopped w1");
  expect(await hasSession(world.env, "talk")).toBe(false);
  expect((await world.run(["session-nudge", "w1", "anybody?"])).stderr).toContain("is gone");
  expect(await world.ok("stop w1 --json")).toEqual({ name: "w1", tmux_session: "talk", killed_session: false, message_sent: false });
  expect((await world.run("stop silent")).exit).toBe(1);
});
