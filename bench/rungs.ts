/**
 * Starting and speaking to a session by each of its agent's ways, by turns: `bench/rungs.ts [NUDGES] [STARTS] [PROGRAM …]`. Claude Code is
 * measured where scripts/setup-ci has fetched it.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { dirname, join } from "node:path";
import { root } from "../build.ts";
import { codex } from "../src/core/codex/codex.ts";
import { openStore } from "../src/store/open.ts";
import type { Store } from "../src/store/store.ts";
import { Bell } from "../src/system/files/bell.ts";
import { watchFolder } from "../src/system/files/watch.ts";
import type { ModelScript } from "../src/core/agent/scripted-model.ts";
import { scriptedMessages } from "../src/system/claude/messages-api.ts";
import { scriptedResponses } from "../src/system/codex/responses-api.ts";
import { program as claudeProgram } from "../test/claude-world.ts";
import { benchWorld, percentile, programOf } from "./program.ts";

const [nudges = "100", starts = "5", ...given] = process.argv.slice(2);
const program = programOf(given);
/** How a nudge reaches the session, and the words that its agent's record has of what was said and of a turn's end. */
interface Rung {
  readonly agent: "codex" | "claude";
  readonly launch: "tmux" | "protocol";
  readonly transport: string;
  readonly said: readonly string[];
  readonly ended: string;
}
const OF_CODEX = { agent: "codex", said: ["UserMessage", "user_message"], ended: '"task_complete"' } as const;
const OF_CLAUDE = {
  agent: "claude",
  launch: "tmux",
  said: ['"type":"user"', "queued_command"],
  ended: '"stop_reason":"end_turn"',
} as const;
const RUNGS: Readonly<Record<string, Rung>> = {
  "codex tmux": { ...OF_CODEX, launch: "tmux", transport: "tmux" },
  "codex protocol": { ...OF_CODEX, launch: "protocol", transport: "codex_protocol" },
  ...(claudeProgram === null
    ? {}
    : { "claude keys": { ...OF_CLAUDE, transport: "tmux" }, "claude inbox": { ...OF_CLAUDE, transport: "claude_inbox" } }),
};
const WAYS = Object.keys(RUNGS);

const { dir, env: own } = benchWorld();
const project = join(dir, "project");
const env: Record<string, string> = {
  ...own,
  PATH: [join(root, "node_modules", ".bin"), claudeProgram, own.PATH].filter(Boolean).join(":"),
  CLAUDE_CONFIG_DIR: join(dir, "claude"),
  CLAUDE_CODE_TMPDIR: join(dir, "tmp"),
  CLAUDE_CODE_OAUTH_TOKEN: "sk-ant-oat01-of-no-account",
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  DISABLE_TELEMETRY: "1",
  DISABLE_AUTOUPDATER: "1",
  IS_SANDBOX: "1",
  LANG: "C.UTF-8",
};

const run = <T = unknown>(...argv: string[]): Promise<T> => runWith<T>({}, ...argv);
async function runWith<T>(more: Readonly<Record<string, string>>, ...argv: string[]): Promise<T> {
  const child = Bun.spawn([...program, ...argv], {
    env: { ...env, ...more },
    cwd: project,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, exit] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  if (exit !== 0) throw new Error(`${argv.join(" ")}: ${err}`);
  return (out.startsWith("{") || out.startsWith("[") ? JSON.parse(out) : out) as T;
}

type Samples = Record<string, number[]>;
const none = (): Samples => Object.fromEntries(WAYS.map((way) => [way, []]));

function report(what: string, samples: Samples, unit: string): void {
  const [count] = Object.values(samples).map(({ length }) => length);
  for (const [name, part] of [
    ["p50", 0.5],
    ["p99", 0.99],
  ] as const) {
    if (name === "p99" && count === 1) continue;
    const numbers = WAYS.map((way) => percentile(samples[way]!, part).toFixed(1).padStart(15));
    console.log(`${`${what}, ${name} of ${count} (${unit})`.padEnd(46)}${numbers.join("")}`);
  }
}

/** Everything that is written of one session. */
class Written {
  private readonly path: string;
  constructor(
    store: Store,
    readonly name: string,
    readonly rung: Rung,
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

  turns = (): string[] => this.lines(this.rung.ended);

  hasSaid = (text: string): boolean => this.lines(text).some((line) => this.rung.said.some((word) => line.includes(word)));
}

/** From the start of the command to the end of the first turn. */
async function started(store: Store, way: string, name: string): Promise<{ ms: number; written: Written }> {
  const rung = RUNGS[way]!;
  const begin = performance.now();
  const words = ["--timeout-seconds", "60", "--agent", rung.agent, "--launch", rung.launch];
  await run("start-worker", "--name", name, "--cwd", project, ...words);
  const written = new Written(store, name, rung);
  // Claude Code is there without a first turn.
  if (rung.agent === "claude") await run("session-nudge", name, "begin");
  await written.until(() => written.turns().length > 0);
  const [session] = await run<{ launch: string }[]>("sessions", "--name", name);
  if (session?.launch !== rung.launch) throw new Error(`${name} was not started by ${rung.launch}`);
  return { ms: performance.now() - begin, written };
}

/** Waits until every Claude Code says of itself that it is idle: it draws its composer anew after a turn's last record. */
async function rest({ agent }: Rung): Promise<void> {
  const folder = join(env.CLAUDE_CONFIG_DIR!, "sessions");
  const idle = (name: string): boolean => readFileSync(join(folder, name), "utf8").includes('"status":"idle"');
  const lists = () => readdirSync(folder).filter((name) => name.endsWith(".json"));
  while (agent === "claude" && !lists().every(idle)) await Bun.sleep(20);
}

/** From the start of the command to the line in the record, and to the end of the turn that it makes. */
async function nudged(written: Written, text: string): Promise<number> {
  await rest(written.rung);
  const [before, begin] = [written.turns().length, performance.now()];
  // By its inbox it hears another session, by keys its user.
  const by: Record<string, string> = written.rung.transport === "claude_inbox" ? { CLAUDE_CODE_SESSION_ID: "of-another-session" } : {};
  const command = runWith<{ transport: string; delivery_id: string }>(by, "session-nudge", written.name, "--", text);
  await written.until(() => written.hasSaid(text));
  const ms = performance.now() - begin;
  const { transport, delivery_id } = await command;
  if (transport !== written.rung.transport) throw new Error(`${text}: ${await run("deliveries", "--explain", delivery_id)}`);
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

/** What stands for the managers: who runs the commands here is a person. */
const stand = Bun.spawn(["sleep", "3600"]);

/** A manager that asks its inbox, of a task of its own with this worker. */
async function managed(worker: string, n: number): Promise<void> {
  const id = `2000000${n}-2222-4222-8222-222222222222`;
  const path = join(env.CODEX_HOME!, "sessions/2026/05/11", `rollout-2026-05-11T14-00-00-${id}.jsonl`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify({ timestamp: "2026-05-11T14:00:00.000Z", type: "session_meta", payload: { id, cwd: dir } })}\n`);
  await run("register-manager", "--name", `m${n}`, "--pid", String(stand.pid), "--codex-session", path, "--cwd", dir);
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
const models = [scriptedResponses(answer), scriptedMessages(answer)] as const;
try {
  env.ANTHROPIC_BASE_URL = models[1].url;
  for (const folder of [project, env.CODEX_HOME!, env.CLAUDE_CONFIG_DIR!, env.CLAUDE_CODE_TMPDIR!]) mkdirSync(folder);
  Bun.spawnSync(["git", "init", "-q", project]);
  for (const { file, text } of codex.scripted({ home: env.CODEX_HOME!, modelUrl: models[0].url, trustedFolders: [project] }).files)
    writeFileSync(join(env.CODEX_HOME!, file), text);
  const known = { hasCompletedOnboarding: true, projects: { [project]: { hasTrustDialogAccepted: true } } };
  writeFileSync(join(env.CLAUDE_CONFIG_DIR!, ".claude.json"), JSON.stringify(known));
  await run("tasks", "--create", "first", "--goal", "Ship");
  const store = openStore(join(dir, "state", "workerctl.db"), {
    now: () => new Date().toISOString(),
    newId: (prefix) => `${prefix}-${crypto.randomUUID()}`,
  });
  console.log(`${"".padEnd(46)}${WAYS.map((way) => way.padStart(15)).join("")}`);
  const names = Object.fromEntries(WAYS.map((way) => [way, way.replace(" ", "-")]));
  const began = none();
  for (let n = 0; n < Number(starts); n++)
    for (const way of WAYS) {
      began[way]!.push((await started(store, way, `${names[way]}-${n}`)).ms);
      await run("stop", `${names[way]}-${n}`);
    }
  report("start -> end of the first turn", began, "ms");

  const written: Record<string, Written> = {};
  for (const [n, way] of WAYS.entries()) {
    written[way] = (await started(store, way, names[way]!)).written;
    await managed(names[way]!, n);
  }
  const watch = Bun.spawn([...program, "dispatch", "--watch"], { env, cwd: dir, stdin: "ignore", stdout: "ignore", stderr: "inherit" });
  // What ended before this was there waited for it.
  const since = new Date().toISOString();
  const [arrived, ended, pss] = [none(), none(), none()];
  for (let n = 0; n < Number(nudges); n++) for (const way of WAYS) arrived[way]!.push(await nudged(written[way]!, `message-${n}.`));
  await run("dispatch", "--ingest");
  for (const way of WAYS) {
    ended[way] = completions(store, written[way]!, since);
    if (process.platform === "linux") pss[way]!.push(memory(store, names[way]!));
  }
  watch.kill("SIGTERM");
  await watch.exited;
  report("session-nudge -> record", arrived, "ms");
  report("end of a turn -> inbox", ended, "ms");
  if (process.platform === "linux") report(`memory after ${nudges} turns`, pss, "MB");
  for (const way of WAYS) await run("stop", names[way]!);
  console.log(`load ${loadavg()[0]!.toFixed(1)}`);
} finally {
  stand.kill();
  Bun.spawnSync(["tmux", "kill-server"], { env, stdout: "ignore", stderr: "ignore" });
  for (const model of models) await model.stop();
  rmSync(dir, { recursive: true, force: true });
}
