/** Dispatch into tmux panes: a pass that is over when it says so, a target that comes back, a Ctrl-C in the middle. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { until, World } from "../../harness.ts";
import { boundPair, event, type Pair } from "../../rollout.ts";

const SRC = resolve(import.meta.dir, "../../../src/main.ts");
let w: World;
let pair: Pair;
beforeEach(async () => {
  w = new World();
  w.realTime = true;
  pair = await boundPair(w);
});
afterEach(() => w.close());

/** A pane in which `cat` keeps what is typed, in a file of the same name. */
async function pane(name: string): Promise<() => string> {
  const file = join(w.dir, name);
  Bun.spawnSync(["tmux", "new-session", "-d", "-s", name, "-x", "200", "-y", "50", `stty -echo; exec cat > ${file}`], { env: w.env });
  await until("the pane", () => existsSync(file));
  return () => readFileSync(file, "utf8");
}
const toPane = (session: string, name: string) =>
  w.store().db.query("update sessions set tmux_session = ? where name = ?").run(name, session);
const nudge = (message: string) => w.ok(["enqueue-nudge-worker", "t1", "--message", message]);

test("a watch of one pass sends everything, in order", async () => {
  const typed = await pane("worker-pane");
  toPane("w1", "worker-pane");
  for (const message of ["one.", "two.", "three."]) await nudge(message);
  const { processed, iterations } = await w.ok("dispatch --watch --watch-iterations 1 --json");
  expect(iterations).toBe(1);
  expect(processed).toMatchObject(
    Array(3).fill({ state: "delivered", transport: "tmux", proof: "unavailable", send_result: { target: "worker-pane" } }),
  );
  await until("all of it", () => typed() === "one.\ntwo.\nthree.\n");
});

test("the target is named with its pane when one is on record", async () => {
  await pane("worker-pane");
  toPane("w1", "worker-pane");
  const id = Bun.spawnSync(["tmux", "display-message", "-p", "-t", "=worker-pane:", "#{pane_id}"], { env: w.env }).stdout.toString().trim();
  w.store().db.query("update sessions set tmux_pane_id = ? where name = 'w1'").run(id);
  await nudge("one.");
  expect((await w.ok("dispatch --json")).processed).toMatchObject([{ send_result: { target: `worker-pane:${id}` } }]);
});

test("a completion for a dead manager is tried less and less often, and at once when the manager is back", async () => {
  toPane("m1", "manager-pane");
  pair.worker.append(event({ type: "task_complete", turn_id: "t" }));
  const watch = Bun.spawn([process.execPath, SRC, "dispatch", "--watch", "--interval", "0.05", "--json"], {
    env: w.env,
    cwd: w.work,
    stdout: "pipe",
    stderr: "inherit",
  });
  const failures = () => w.rows("select 1 from telemetry_events where event_type = 'dispatch_signal_failed'").length;
  await until("the first failure", failures);
  await until("twenty passes", () => w.rows("select 1 from dispatchers where iterations > 20").length);
  expect(failures()).toBe(1);
  const typed = await pane("back-again");
  toPane("m1", "back-again");
  await until("the message", () => typed().includes("finished a turn of task t1"));
  watch.kill("SIGTERM");
  expect(await watch.exited).toBe(0);
  expect(w.rows("select state, delivery_mode from routed_notifications")).toEqual([{ state: "delivered", delivery_mode: "push" }]);
});

test.each([
  ["once", 1],
  ["twice, as behind a wrapper that hands it on", 2],
] as const)("Ctrl-C, heard %s, while a message is typed lets it be finished", async (_, signals) => {
  const typed = await pane("worker-pane");
  toPane("w1", "worker-pane");
  const mark = join(w.dir, "pasting");
  const tmux = Bun.which("tmux")!;
  const slow = await w.file(
    "bin/tmux",
    `#!/bin/sh\nfor word in "$@"; do [ "$word" = paste-buffer ] && { touch ${mark}; while [ -e ${mark} ]; do sleep 0.05; done; }; done\nexec ${tmux} "$@"\n`,
  );
  chmodSync(slow, 0o755);
  await nudge("one.");
  const dispatch = Bun.spawn([process.execPath, SRC, "dispatch", "--json"], {
    env: { ...w.env, PATH: `${join(w.dir, "bin")}:${w.env.PATH}` },
    cwd: w.work,
    stdout: "pipe",
    stderr: "inherit",
    detached: true,
  });
  await until("the paste", () => existsSync(mark));
  for (let n = 0; n < signals; n++) {
    process.kill(-dispatch.pid, "SIGINT");
    // Two that wait at once would be one.
    Bun.sleepSync(5);
  }
  await Bun.file(mark).delete();
  expect(await dispatch.exited).toBe(0);
  expect(JSON.parse(await new Response(dispatch.stdout).text()).processed).toMatchObject([{ state: "delivered" }]);
  await until("the text", () => typed() === "one.\n");
});
