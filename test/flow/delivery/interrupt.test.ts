/** Interrupts of the real Codex: an idle one stays alive, a busy one becomes idle, a killed one is reported as crashed. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { alive } from "../../../src/system/processes/processes.ts";
import { capturePane } from "../../../src/system/terminal/panes.ts";
import { tmuxResult } from "../../../src/system/terminal/tmux.ts";
import { CodexWorld, PlainModel } from "../../codex-world.ts";
import { until } from "../../harness.ts";

const model = new PlainModel();
const world = new CodexWorld(model.script);
let worker: { pid: number; codex_session_id: string };
beforeAll(async () => {
  worker = await world.ok(["start-worker", "--name", "w1", "--cwd", world.project, "--timeout-seconds", "30"]);
  const other = await world.ok(["start-worker", "--name", "other", "--cwd", world.project, "--timeout-seconds", "30"]);
  await world.ok(["register-manager", "--name", "m1", "--pid", String(other.pid), "--codex-session", other.codex_session_path]);
  await world.ok("tasks --create t1 --goal g");
  await world.ok("bind --task t1 --worker w1 --manager m1");
  await world.idle(worker.codex_session_id);
});
afterAll(() => world.close());

const screen = () => capturePane(world.env, "codex-w1", 0);

test("an idle worker gets no key, however often, lives on and takes the next message", async () => {
  await until("the composer", async () => (await screen()).includes("Ask Codex"));
  for (let round = 0; round < 3; round += 1) expect(await world.ok("session-interrupt w1")).toMatchObject({ key: "Escape", sent: false });
  expect(alive(worker.pid)).toBe(true);
  expect(await world.ok(["session-nudge", "w1", "still there?"])).toMatchObject({ proof: "seen" });
  await world.idle(worker.codex_session_id);
});

test("Escape asked for by name is pressed on an idle worker too, and does no harm", async () => {
  await until("the composer", async () => !(await screen()).includes("esc to interrupt"));
  expect(await world.ok("session-interrupt w1 --key Escape")).toMatchObject({ key: "Escape", sent: true });
  expect(alive(worker.pid)).toBe(true);
});

test("a busy worker becomes idle, and cycle says how its turn ended", async () => {
  await world.ok(["session-nudge", "w1", "hold busy"]);
  await until("the turn", () => model.isHolding("busy"));
  expect(await world.ok("cycle t1")).toMatchObject({ state: "busy", turn: "open" });
  expect(await world.ok(["session-interrupt", "w1", "--followup", "stop and report"])).toMatchObject({ key: "Escape", sent: true });
  expect(world.userTexts(worker.codex_session_id).filter((text) => text === "stop and report")).toHaveLength(1);
  const aborted = world
    .rollouts()
    .get(worker.codex_session_id)!
    .filter((fact) => fact.kind === "turn_aborted");
  expect(aborted).toHaveLength(1);
  await world.idle(worker.codex_session_id);
  expect(await world.ok("cycle t1")).toMatchObject({ state: "idle", turn: "completed" });
});

test("just interrupted, it takes the next message as any other", async () => {
  await world.ok(["session-nudge", "w1", "hold again"]);
  await until("the turn", () => model.isHolding("again"));
  await world.ok("session-interrupt w1");
  await world.idle(worker.codex_session_id);
  expect(await world.ok("cycle t1")).toMatchObject({ state: "idle", turn: "aborted" });
  expect(await world.ok(["session-nudge", "w1", "and on"])).toMatchObject({ proof: "seen", transport: "tmux" });
  await world.idle(worker.codex_session_id);
});

test("killed in the middle of a turn it is crashed, and gets no keys", async () => {
  await world.ok(["session-nudge", "w1", "hold to the end"]);
  await until("the turn", () => model.isHolding("to"));
  process.kill(worker.pid, "SIGKILL");
  await until("its end", async () => (await tmuxResult(world.env, ["has-session", "-t", "=codex-w1"])).code !== 0);
  expect(await world.ok("cycle t1")).toMatchObject({ turn: "crashed", worker_alive: false });
  const refused = await world.run(["session-nudge", "w1", "hello?"]);
  expect(refused.exit).toBe(1);
  expect(refused.stderr).toContain("is dead");
});
