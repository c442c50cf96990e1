/** Starting and speaking to a session by its terminal and by protocol, by turns: `bench/rungs.ts [NUDGES] [STARTS] [PROGRAM …]`. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { root } from "../build.ts";
import { codex } from "../src/core/codex/codex.ts";
import { openStore } from "../src/store/open.ts";
import type { Store } from "../src/store/store.ts";
import { Bell } from "../src/system/files/bell.ts";
import { watchFolder } from "../src/system/files/watch.ts";
import type { ModelScript } from "../src/core/agent/scripted-model.ts";
import { scriptedResponses } from "../src/system/codex/responses-api.ts";
import { programOf } from "./program.ts";

const [nudges = "100", starts = "5", ...given] = process.argv.slice(2);
const program = programOf(given);
const WAYS = ["tmux", "protocol"] as const;
type Way = (typeof WAYS)[number];

const dir = mkdtempSync(join(tmpdir(), "conveyor-bench-"));
const project = join(dir, "project");
const env: Record<string, string> = {
  PATH: `${join(root, "node_modules", ".bin")}:${process.env.PATH ?? "/usr/bin:/bin"}`,
  HOME: dir,
  CODEX_HOME: join(dir, "codex"),
  WORKERCTL_STATE_ROOT: join(dir, "state"),
  TMUX_TMPDIR: dir,
  TERM: "xterm-256color",
  LANG: "C.UTF-8",
};

async function run<T = unknown>(...argv: string[]): Promise<T> {
  const child = Bun.spawn([...program, ...argv], { env, cwd: project, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, err, exit] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  if (exit !== 0) throw new Error(`${argv.join(" ")}: ${err}`);
  return (out.startsWith("{") || out.startsWith("[") ? JSON.parse(out) : out) as T;
}

const percentile = (samples: readonly number[], part: number): number => {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!;
};

type Both = Record<Way, number[]>;
const both = (): Both => ({ tmux: [], protocol: [] });

function report(what: string, samples: Both, unit: string): void {
  for (const [name, part] of [
    ["p50", 0.5],
    ["p99", 0.99],
  ] as const) {
    if (name === "p99" && samples.tmux.length === 1) continue;
    const [tmux, protocol] = [percentile(samples.tmux, part), percentile(samples.protocol, part)];
    const numbers = [tmux.toFixed(1), protocol.toFixed(1), (protocol / tmux).toFixed(2)].map((each) => each.padStart(10));
    console.log(`${`${what}, ${name} of ${samples.tmux.length} (${unit})`.padEnd(52)} ${numbers.join(" ")}`);
  }
}

/** Everything that is written of one session. */
class Written {
  private readonly path: string;
  constructor(
    store: Store,
    readonly name: string,
  ) {
    this.path = store.db
      .query<{ path: string }, [string]>("select codex_session_path as path from sessions where name = ?")
      .get(name)!.path;
  }

  lines = (word: string): string[] =>
    readFileSync(this.path, "utf8")
      .split("\n")
      .filter((line) => line.includes(word));

  /** Waits until `look` is true, woken by what is written. */
  async until(look: () => boolean): Promise<void> {
    const bell = new Bell();
    const folder = watchFolder(join(this.path, ".."), () => bell.ring());
    while (!look()) await bell.wait(500);
    folder?.close();
  }

  turns = (): string[] => this.lines('"task_complete"');
}

/** From the start of the command to the end of the first turn. */
async function started(store: Store, way: Way, name: string): Promise<{ ms: number; written: Written }> {
  const begin = performance.now();
  await run("start-worker", "--name", name, "--cwd", project, "--timeout-seconds", "60", "--launch", way);
  const written = new Written(store, name);
  await written.until(() => written.turns().length > 0);
  const [session] = await run<{ launch: string }[]>("sessions", "--name", name);
  if (session?.launch !== way) throw new Error(`${name} was not started by ${way}`);
  return { ms: performance.now() - begin, written };
}

/** From the start of the command to the line in the record, and to the end of the turn that it makes. */
async function nudged(written: Written, text: string): Promise<number> {
  const [before, begin] = [written.turns().length, performance.now()];
  const command = run("session-nudge", written.name, text);
  await written.until(() => written.lines(text).some((line) => line.includes("UserMessage") || line.includes("user_message")));
  const ms = performance.now() - begin;
  await command;
  await written.until(() => written.turns().length > before);
  return ms;
}

/** From the record that ends a turn to the item in its manager's inbox, by the clock that both carry. */
const completions = (store: Store, { name }: Written, since: string): number[] =>
  store.db
    .query<{ ended: string; told: string }, [string, string]>(
      `select n.source_event_timestamp as ended, n.delivered_at as told from routed_notifications n
         join sessions s on s.id = n.source_session_id
       where s.name = ? and n.signal_type = 'worker_task_complete' and n.state = 'delivered' and
         n.source_event_timestamp > ?`,
    )
    .all(name, since)
    .map(({ ended, told }) => Date.parse(told) - Date.parse(ended));

/** A manager that asks its inbox, of a task of its own with this worker. */
async function managed(worker: string, n: number): Promise<void> {
  const id = `2000000${n}-2222-4222-8222-222222222222`;
  const path = join(env.CODEX_HOME!, "sessions/2026/05/11", `rollout-2026-05-11T14-00-00-${id}.jsonl`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify({ timestamp: "2026-05-11T14:00:00.000Z", type: "session_meta", payload: { id, cwd: dir } })}\n`);
  await run("register-manager", "--name", `m${n}`, "--pid", String(process.pid), "--codex-session", path, "--cwd", dir);
  await run("tasks", "--create", `task${n}`, "--goal", "Ship");
  await run("bind", "--task", `task${n}`, "--worker", worker, "--manager", `m${n}`);
}

/** Proportional memory of all that runs in the pane of a session, in MB. */
function memory(store: Store, name: string): number {
  const { pid } = store.db.query<{ pid: number }, [string]>("select pid from sessions where name = ?").get(name)!;
  const sessionOf = (each: number): number => Number(readFileSync(`/proc/${each}/stat`, "latin1").split(") ")[1]!.split(" ")[3]);
  const leader = sessionOf(pid);
  let kb = 0;
  for (const each of readdirSync("/proc").map(Number).filter(Boolean)) {
    try {
      if (sessionOf(each) === leader) kb += Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${each}/smaps_rollup`, "latin1"))?.[1]);
    } catch {
      // It has ended meanwhile.
    }
  }
  return kb / 1024;
}

const answer: ModelScript = () => [{ say: "ok" }];
const model = scriptedResponses(answer);
try {
  for (const folder of [project, env.CODEX_HOME!]) mkdirSync(folder);
  Bun.spawnSync(["git", "init", "-q", project]);
  for (const { file, text } of codex.scripted({ home: env.CODEX_HOME!, modelUrl: model.url, trustedFolders: [project] }).files)
    writeFileSync(join(env.CODEX_HOME!, file), text);
  await run("tasks", "--create", "first", "--goal", "Ship");
  const store = openStore(join(dir, "state", "workerctl.db"), {
    now: () => new Date().toISOString(),
    newId: (prefix) => `${prefix}-${crypto.randomUUID()}`,
  });
  console.log(`${"".padEnd(52)} ${["tmux", "protocol", "ratio"].map((name) => name.padStart(10)).join(" ")}`);
  const began = both();
  for (let n = 0; n < Number(starts); n++)
    for (const way of WAYS) {
      began[way].push((await started(store, way, `${way}-${n}`)).ms);
      await run("stop", `${way}-${n}`);
    }
  report("start -> end of the first turn", began, "ms");

  const written = {} as Record<Way, Written>;
  for (const [n, way] of WAYS.entries()) {
    written[way] = (await started(store, way, way)).written;
    await managed(way, n);
  }
  const watch = Bun.spawn([...program, "dispatch", "--watch"], { env, cwd: dir, stdin: "ignore", stdout: "ignore", stderr: "inherit" });
  // What ended before this was there waited for it.
  const since = new Date().toISOString();
  const [arrived, ended, pss] = [both(), both(), both()];
  for (let n = 0; n < Number(nudges); n++) for (const way of WAYS) arrived[way].push(await nudged(written[way], `message-${n}.`));
  await run("dispatch", "--ingest");
  for (const way of WAYS) {
    ended[way] = completions(store, written[way], since);
    if (process.platform === "linux") pss[way].push(memory(store, way));
  }
  watch.kill("SIGTERM");
  await watch.exited;
  report("session-nudge -> record", arrived, "ms");
  report("end of a turn -> inbox", ended, "ms");
  if (pss.tmux.length > 0) report(`memory after ${nudges} turns`, pss, "MB");
  for (const way of WAYS) await run("stop", way);
  console.log(`load ${loadavg()[0]!.toFixed(1)}`);
} finally {
  Bun.spawnSync(["tmux", "kill-server"], { env, stdout: "ignore", stderr: "ignore" });
  await model.stop();
  rmSync(dir, { recursive: true, force: true });
}
