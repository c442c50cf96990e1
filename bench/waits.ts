/** How soon a wait returns, and what it costs while nothing happens: `bench/waits.ts [IDLE_SECONDS] [WAITS] [PROGRAM …]`. */
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { dirname, join } from "node:path";
import { benchWorld, percentile, programOf } from "./program.ts";

const [idle = "60", count = "200", ...given] = process.argv.slice(2);
const program = programOf(given);
const WAITS = Number(count);

const { dir, env } = benchWorld();

function run<T>(words: readonly string[], exits: readonly number[] = [0]): T {
  const done = Bun.spawnSync([...program, ...words], { env, cwd: dir });
  if (!exits.includes(done.exitCode)) throw new Error(`${words.join(" ")}: ${done.stderr.toString()}`);
  const out = done.stdout.toString();
  return (out.startsWith("{") ? JSON.parse(out) : out) as T;
}

const report = (what: string, samples: readonly number[]): void =>
  console.log(`${what.padEnd(58)} ${[0.5, 0.99, 1].map((part) => percentile(samples, part).toFixed(1).padStart(9)).join(" ")}`);

const rolloutOf = (letter: string): string =>
  join(dir, "codex/sessions/2026/05/11", `rollout-2026-05-11T14-00-00-${letter}0000000-1111-4111-8111-111111111111.jsonl`);

function setUp(): void {
  mkdirSync(dirname(rolloutOf("1")), { recursive: true });
  Bun.spawnSync(["tmux", "new-session", "-d", "-s", "one", "-x", "120", "-y", "40", "cat"], { env, cwd: dir });
  for (const [role, letter] of [
    ["worker", "1"],
    ["manager", "2"],
  ] as const) {
    const id = `${letter}0000000-1111-4111-8111-111111111111`;
    const head = { timestamp: "2026-05-11T14:00:00.000Z", type: "session_meta", payload: { id, cwd: dir } };
    writeFileSync(rolloutOf(letter), `${JSON.stringify(head)}\n`);
    const place = role === "worker" ? ["--tmux-session", "one"] : [];
    run([`register-${role}`, "--name", role, "--pid", String(process.pid), "--codex-session", rolloutOf(letter), "--cwd", dir, ...place]);
  }
  run(["tasks", "--create", "task", "--goal", "Ship"]);
  run(["bind", "--task", "task", "--worker", "worker", "--manager", "manager"]);
}

let serial = 0;
function endTurn(): void {
  const turn_id = `turn-${serial++}`;
  const line = (type: string): string =>
    `${JSON.stringify({ timestamp: new Date().toISOString(), type: "event_msg", payload: { type, turn_id } })}\n`;
  appendFileSync(rolloutOf("1"), line("task_started") + line("task_complete"));
}

/** Processor time of a process and of those it has started, in milliseconds. */
function spent(pid: number): number {
  const all = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim().split(" ").filter(Boolean).map(Number);
  return [pid, ...all]
    .map((each) => readFileSync(`/proc/${each}/stat`, "latin1").split(") ")[1]!.split(" "))
    .reduce((sum, fields) => sum + (Number(fields[11]) + Number(fields[12])) * 10, 0);
}

/** Blocked in its wait: it has taken no time for so many looks. */
async function asleep(pid: number, looks = 5): Promise<void> {
  for (let [last, quiet] = [-1, 0]; quiet < looks; await Bun.sleep(100)) {
    const now = spent(pid);
    quiet = now === last ? quiet + 1 : 0;
    last = now;
  }
}

const cursorNow = (until: string): string => run<{ cursor: string }>(["wait", "task", "--until", until, "--timeout", "0"], [0, 3]).cursor;
const start = (until: string, cursor: string) =>
  Bun.spawn([...program, "wait", "task", "--until", until, "--since", cursor], {
    env,
    cwd: dir,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });

/** From the event until the answer is printed, and until the process has ended. */
async function returned(waits: readonly Bun.Subprocess<"ignore", "pipe", "inherit">[]): Promise<{ printed: number[]; ended: number[] }> {
  const began = performance.now();
  endTurn();
  const printed: number[] = [];
  const ended: number[] = [];
  await Promise.all(
    waits.map(async (wait) => {
      await wait.stdout.getReader().read();
      printed.push(performance.now() - began);
      await wait.exited;
      ended.push(performance.now() - began);
    }),
  );
  return { printed, ended };
}

try {
  setUp();
  console.log(`${"".padEnd(58)} ${["p50", "p99", "most"].map((head) => head.padStart(9)).join(" ")}   load ${loadavg()[0]!.toFixed(1)}`);
  const one = { printed: [] as number[], ended: [] as number[] };
  for (let n = 0; n < WAITS; n++) {
    const wait = start("idle", cursorNow("idle"));
    await asleep(wait.pid);
    const { printed, ended } = await returned([wait]);
    one.printed.push(...printed);
    one.ended.push(...ended);
  }
  report(`${WAITS} waits one after another: end of a turn → answer (ms)`, one.printed);
  report("… → end of the process (ms)", one.ended);
  const cursor = cursorNow("idle");
  const all = Array.from({ length: WAITS }, () => start("idle", cursor));
  // While so many start at once, one may stand still for long.
  for (const { pid } of all) await asleep(pid);
  await Promise.all(all.map(({ pid }) => asleep(pid, 30)));
  const many = await returned(all);
  report(`${WAITS} waits at once: end of a turn → answer (ms)`, many.printed);
  report("… → end of the process (ms)", many.ended);
  const since = cursorNow("idle,question,failed,crashed,gone,limit,message,done,uncertain,stalled");
  const waiting = start("idle,question,failed,crashed,gone,limit,message,done,uncertain,stalled", since);
  await asleep(waiting.pid);
  const before = spent(waiting.pid);
  await Bun.sleep(Number(idle) * 1000);
  const took = spent(waiting.pid) - before;
  console.log(
    `one wait for everything, ${idle} s of nothing: ${took} ms of a processor, ${((took / (Number(idle) * 1000)) * 100).toFixed(3)} %`,
  );
  waiting.kill();
  await waiting.exited;
} finally {
  Bun.spawnSync(["tmux", "kill-server"], { env });
  rmSync(dir, { recursive: true, force: true });
}
