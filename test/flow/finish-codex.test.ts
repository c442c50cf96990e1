/** The last word to a real Codex session: proven in its rollout, answered, and only then is the session ended. */
import { afterAll, expect, test } from "bun:test";
import { bind } from "../../src/store/sessions/bindings.ts";
import { needSession, registerSession } from "../../src/store/sessions/sessions.ts";
import { needTask } from "../../src/store/tasks/tasks.ts";
import { alive } from "../../src/system/processes/processes.ts";
import { CodexWorld, PlainModel } from "../codex-world.ts";
import { until } from "../harness.ts";

const model = new PlainModel();
const world = new CodexWorld(model.script);
afterAll(() => world.close());

test("a worker hears that it is over before it is stopped", async () => {
  const { codex_session_id: thread } = await world.ok(["start-worker", "--name", "w1", "--cwd", world.project, "--timeout-seconds", "30"]);
  await world.turns(thread, 1);
  await world.ok("tasks --create t1 --goal G");
  const store = world.store();
  const worker = needSession(store, "w1");
  const manager = registerSession(store, {
    name: "m1",
    role: "manager",
    pid: null,
    cwd: world.project,
    codexSessionPath: null,
    codexSessionId: null,
    tmuxSession: null,
  });
  bind(store, needTask(store, "t1"), worker, manager);

  const done = await world.ok([
    "finish-task",
    "t1",
    "--stop-worker",
    "--stop-manager",
    "--capture-transcript-before-stop",
    "--message",
    "We are done, thank you",
  ]);
  expect(done).toMatchObject({
    killed_worker: true,
    killed_manager: false,
    message_delivery: { state: "delivered", proof: "seen", transport: "codex_protocol" },
    pre_stop_transcript_captures: [{ role: "worker" }],
  });
  expect(world.userTexts(thread).at(-1)).toBe("We are done, thank you");
  await world.turns(thread, 2);
  await until("the end of the process", () => !alive(worker.pid!));
  expect(world.rows("select name, state from sessions order by name")).toEqual([
    { name: "m1", state: "active" },
    { name: "w1", state: "gone" },
  ]);
});
