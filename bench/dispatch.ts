/** How fast Dispatch is, and what it costs when nothing happens: `bench/dispatch.ts [IDLE_SECONDS] [PROGRAM …]`. */
import { Database } from "bun:sqlite";
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { showInbox } from "../src/flow/dispatch/inbox.ts";
import { makeContext } from "../src/context.ts";
import { watchCommits } from "../src/flow/commits.ts";
import { createCommand } from "../src/store/dispatch/commands.ts";
import { openStore } from "../src/store/open.ts";
import { needSession } from "../src/store/sessions/sessions.ts";
import type { Store } from "../src/store/store.ts";
import { Bell } from "../src/system/files/bell.ts";
import { watchFolder } from "../src/system/files/watch.ts";
import { benchWorld, percentile, programOf } from "./program.ts";

const [idle = "60", ...given] = process.argv.slice(2);
const program = programOf(given);
const WORKERS = 20;
/** What is shown goes nowhere. */
const silent = makeContext({
  env: process.env,
  cwd: "/",
  argv0: "conveyor",
  tty: { in: false, out: false, err: false },
  write() {},
  readStdin: () => new Uint8Array(),
  clock: Date.now,
  uuid: () => crypto.randomUUID(),
});
const TURNS = 400;
const KEYS = 60;
const COMMANDS = 2000;
const POLL_SECONDS = 2;

const { dir, env } = benchWorld();

function run(...argv: string[]): void {
  const done = Bun.spawnSync([...program, ...argv], { env, cwd: dir });
  if (done.exitCode !== 0) throw new Error(`${argv.join(" ")}: ${done.stderr.toString()}`);
}

const ms = (value: number): string => value.toFixed(1).padStart(8);

const report = (what: string, samples: readonly number[]): void =>
  console.log(`${what.padEnd(44)} ${[0.5, 0.9, 0.99, 1].map((part) => ms(percentile(samples, part))).join(" ")}`);

/** Waits until `look` is true, woken by commits of others. */
async function committed(store: Store, look: () => boolean): Promise<void> {
  const bell = new Bell();
  const commits = watchCommits(store, () => bell.ring());
  while (!look()) await bell.wait(1000);
  commits.close();
}

const rolloutOf = (name: string, n: number): string =>
  join(
    dir,
    "codex/sessions/2026/05/11",
    `rollout-2026-05-11T14-00-00-${name}${String(n).padStart(7, "0")}-1111-4111-8111-111111111111.jsonl`,
  );

function setUp(): Store {
  mkdirSync(dirname(rolloutOf("1", 0)), { recursive: true });
  run("tasks", "--create", "first", "--goal", "Ship");
  for (let n = 0; n < WORKERS; n++) {
    for (const [role, letter] of [
      ["worker", "1"],
      ["manager", "2"],
    ] as const) {
      const path = rolloutOf(letter, n);
      writeFileSync(
        path,
        `${JSON.stringify({ timestamp: "2026-05-11T14:00:00.000Z", type: "session_meta", payload: { id: `${letter}${String(n).padStart(7, "0")}-1111-4111-8111-111111111111`, cwd: dir } })}\n`,
      );
      run(`register-${role}`, "--name", `${role}${n}`, "--pid", String(process.pid), "--codex-session", path, "--cwd", dir);
    }
    run("tasks", "--create", `task${n}`, "--goal", "Ship");
    run("bind", "--task", `task${n}`, "--worker", `worker${n}`, "--manager", `manager${n}`);
  }
  return openStore(join(dir, "state", "workerctl.db"), {
    now: () => new Date().toISOString(),
    newId: (prefix) => `${prefix}-${crypto.randomUUID()}`,
  });
}

async function startWatch(store: Store): Promise<Bun.Subprocess> {
  const watch = Bun.spawn([...program, "dispatch", "--watch", "--dispatcher-id", "bench"], {
    env,
    cwd: dir,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "inherit",
  });
  await committed(store, () => store.db.query("select 1 from dispatchers where iterations > 0 and ended_at is null").get() !== null);
  return watch;
}

const stop = async (watch: Bun.Subprocess): Promise<void> => {
  watch.kill("SIGTERM");
  await watch.exited;
};

/** From the byte that ends a turn to the item in the manager's inbox, the committed row. */
async function turns(store: Store): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < TURNS; n++) {
    const worker = Math.floor(Math.random() * WORKERS);
    const begin = performance.now();
    appendFileSync(
      rolloutOf("1", worker),
      `${JSON.stringify({ timestamp: new Date().toISOString(), type: "event_msg", payload: { type: "task_complete", turn_id: `turn-${n}` } })}\n`,
    );
    await committed(
      store,
      () =>
        (store.db.query<{ n: number }, []>("select count(*) as n from routed_notifications where state = 'delivered'").get()?.n ?? 0) > n,
    );
    times.push(performance.now() - begin);
  }
  return times;
}

/** From the commit that fills an inbox to the end of the long poll at it. */
async function inboxes(store: Store, other: Store): Promise<number[]> {
  const times: number[] = [];
  const session = needSession(store, "manager0");
  store.db.query("update routed_notifications set consumed_at = created_at").run();
  const refill = other.db.query(
    "update routed_notifications set consumed_at = null where id = (select max(id) from routed_notifications where target_session_id = ?)",
  );
  for (let n = 0; n < 200; n++) {
    const waiting = showInbox(silent, store, session, { consumeNext: true, wait: true, timeout: 30, interval: 30, limit: 1, json: true });
    await Bun.sleep(5 + Math.random() * 10);
    const begin = performance.now();
    refill.run(session.id);
    await waiting;
    times.push(performance.now() - begin);
  }
  return times;
}

/** From the commit of a queued message to its line in the pane. */
async function keys(store: Store): Promise<number[]> {
  const typed = join(dir, "pane", "typed");
  mkdirSync(dirname(typed));
  Bun.spawnSync(["tmux", "new-session", "-d", "-s", "pane", `stty -echo; exec cat > ${typed}`], { env });
  while (!existsSync(typed)) await Bun.sleep(10);
  store.db.query("update sessions set tmux_session = 'pane' where name = 'worker0'").run();
  const task = store.db.query<{ id: string }, []>("select id from tasks where name = 'task0'").get()!.id;
  const times: number[] = [];
  for (let n = 0; n < KEYS; n++) {
    const bell = new Bell();
    const folder = watchFolder(dirname(typed), () => bell.ring());
    const begin = performance.now();
    createCommand(store, { type: "nudge_worker", taskId: task, payload: { message: `message-${n}.` } });
    while (!readFileSync(typed, "utf8").includes(`message-${n}.`)) await bell.wait(1000);
    times.push(performance.now() - begin);
    folder?.close();
    await committed(store, () => store.db.query("select 1 from commands where state in ('pending', 'attempted')").get() === null);
  }
  return times;
}

async function throughput(store: Store, dispatchers: number): Promise<number> {
  const task = store.db.query<{ id: string }, []>("select id from tasks where name = 'task1'").get()!.id;
  store.db
    .transaction(() => {
      for (let n = 0; n < COMMANDS; n++) createCommand(store, { type: "nudge_worker", taskId: task, payload: { message: `m${n}` } });
    })
    .immediate();
  const begin = performance.now();
  await Promise.all(
    Array.from(
      { length: dispatchers },
      (_, n) =>
        Bun.spawn([...program, "dispatch", "--limit", String(COMMANDS), "--dispatcher-id", `d${n}`], {
          env,
          cwd: dir,
          stdout: "ignore",
          stderr: "inherit",
        }).exited,
    ),
  );
  const seconds = (performance.now() - begin) / 1000;
  const { n } = store.db.query<{ n: number }, []>("select count(*) as n from commands where state <> 'succeeded'").get()!;
  if (n > 0) throw new Error(`${n} commands were not delivered`);
  return COMMANDS / seconds;
}

/** Processor seconds and context switches of a process so far. */
function spent(pid: number): { cpu: number; wakes: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]!.split(" ");
  const wakes = [...readFileSync(`/proc/${pid}/status`, "latin1").matchAll(/ctxt_switches:\s+(\d+)/g)].reduce(
    (sum, match) => sum + Number(match[1]),
    0,
  );
  return { cpu: (Number(fields[11]) + Number(fields[12])) / 100, wakes };
}

try {
  const store = setUp();
  const other = openStore(store.path, store);
  console.log(`${"milliseconds".padEnd(44)} ${["p50", "p90", "p99", "max"].map((name) => name.padStart(8)).join(" ")}`);
  const watch = await startWatch(store);
  report(`end of a turn -> inbox (${WORKERS} workers)`, await turns(store));
  report("commit -> end of an inbox --wait", await inboxes(store, other));
  report("queued -> typed into a pane", await keys(store));
  const poll = Array.from({ length: 1000 }, (_, n) => (POLL_SECONDS * 1000 * n) / 1000);
  report(`a poll every ${POLL_SECONDS} s, by arithmetic`, poll);
  if (Number(idle) > 0 && existsSync(`/proc/${watch.pid}/stat`)) {
    const before = spent(watch.pid);
    await Bun.sleep(Number(idle) * 1000);
    const after = spent(watch.pid);
    console.log(
      `idle watch, ${WORKERS} workers, ${idle} s: ${(((after.cpu - before.cpu) / Number(idle)) * 100).toFixed(3)} % of a core, ${((after.wakes - before.wakes) / Number(idle)).toFixed(1)} switches/s`,
    );
  }
  await stop(watch);
  for (const dispatchers of [1, 8])
    console.log(
      `${COMMANDS} commands, ${dispatchers} dispatcher${dispatchers > 1 ? "s" : ""}: ${Math.round(await throughput(store, dispatchers))} a second`,
    );
  const rows = new Database(store.path)
    .query<{ n: number; d: number }, []>(
      "select count(*) as n, count(distinct command_id) as d from routed_notifications where command_id is not null",
    )
    .get()!;
  console.log(`notifications of commands: ${rows.n}, of distinct commands: ${rows.d}`);
} finally {
  Bun.spawnSync(["tmux", "kill-server"], { env, stdout: "ignore", stderr: "ignore" });
  rmSync(dir, { recursive: true, force: true });
}
