/**
 * Workers that are spoken to by their agent's protocol, in long runs: who runs there, what their records say, and the account of all that
 * was said.
 */
import { existsSync, readFileSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { expect } from "bun:test";
import { fingerprint } from "../src/core/delivery/delivery.ts";
import { agents } from "../src/core/agent/agents.ts";
import { factsOf } from "../src/core/agent/facts.ts";
import { type ServedWatch, watchServed } from "../src/flow/observe/served-watch.ts";
import { sha256 } from "../src/system/files/digest.ts";
import { alive, commandLineOf, environmentOf, listProcesses } from "../src/system/processes/processes.ts";
import { CodexSuiteWorld, OldestCodexWorld } from "./agent-suite/codex-world.ts";
import { until, type World } from "./harness.ts";

export const VERSIONS = [
  ["Codex", () => new CodexSuiteWorld()],
  ["the oldest Codex", () => new OldestCodexWorld()],
] as const;

/** The program as a process of its own. */
export const MAIN = [process.execPath, join(import.meta.dir, "..", "src", "main.ts")];

/** Chance that can be had again: `CONVEYOR_SEED` is what an earlier run printed. */
export class Chance {
  readonly seed = Number(process.env.CONVEYOR_SEED ?? Math.floor(Math.random() * 2 ** 31));
  private state = this.seed >>> 0;

  /** From 0 to below 1 (mulberry32). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below = (count: number): number => Math.floor(this.next() * count);
  pick = <T>(list: readonly T[]): T => list[this.below(list.length)]!;
}

/** Tells the figures of a long run, with what the machine did besides. */
export const tell = (what: string, figures: Record<string, unknown>): void =>
  console.log(
    `${what}: ${Object.entries(figures)
      .map(([name, value]) => `${name} ${value}`)
      .join(", ")}; load ${loadavg()[0]!.toFixed(1)}`,
  );

/** Starts a worker by protocol, whatever the default is, and gives its thread once its first turn is over. */
export async function servedWorker(world: CodexSuiteWorld, name: string, ...more: string[]): Promise<string> {
  const words = ["start-worker", "--name", name, "--cwd", world.project, "--timeout-seconds", "60", "--launch", "protocol", ...more];
  const { codex_session_id: thread } = await world.ok(words);
  expect((await world.ok(["sessions", "--name", name]))[0]).toMatchObject({ launch: "protocol" });
  await world.idle(thread);
  return thread;
}

/** A task of this worker, named as it is but for the first letter, and of a manager that never speaks. */
export async function boundTask(world: World, worker = "w1"): Promise<void> {
  const [manager, task] = [worker.replace("w", "m"), worker.replace("w", "t")];
  const thread = `2222222${worker.slice(1)}-2222-4222-8222-222222222222`;
  const meta = { id: thread, cwd: world.work, originator: "codex-tui", cli_version: "0.171.0" };
  const path = await world.file(
    `codex/sessions/2026/05/11/rollout-2026-05-11T14-00-00-${thread}.jsonl`,
    `${JSON.stringify({ timestamp: "2020-01-01T00:00:00.000Z", type: "session_meta", payload: meta })}\n`,
  );
  await world.ok(["register-manager", "--name", manager, "--pid", String(process.pid), "--codex-session", path, "--cwd", world.work]);
  await world.ok(["tasks", "--create", task, "--goal", "It works"]);
  await world.ok(["bind", "--task", task, "--worker", worker, "--manager", manager]);
}

/** Listens to the servers of bound sessions, as Dispatch and the page do. @param problem what could not be recorded; by default there is none */
export function listening(world: World, problem: (message: string) => void = (message) => expect(message).toBe("")): ServedWatch {
  const watch = watchServed(world.context(), world.store(), () => {}, problem);
  watch.follow();
  return watch;
}

/** A client of the server that is not ours, as a tool of somebody's, asks for this, and gives what it is told. */
export async function asksElsewhere(socket: string, method: string, params: object): Promise<any> {
  const line = new WebSocket(`ws+unix://${realpathSync(socket)}`);
  const answers = new Map<number, (result: any) => void>();
  const call = (id: number, method: string, params: object): Promise<any> =>
    new Promise((resolve) => {
      answers.set(id, resolve);
      line.send(JSON.stringify({ id, method, params }));
    });
  line.onmessage = ({ data }) => {
    const { id, result, method } = JSON.parse(String(data));
    if (method === undefined) answers.get(id)?.(result);
  };
  await new Promise((resolve) => (line.onopen = resolve));
  await call(1, "initialize", { clientInfo: { name: "somebody", title: null, version: "1" } });
  line.send(JSON.stringify({ method: "initialized" }));
  const result = await call(2, method, params);
  line.close();
  return result;
}

/** Starts `dispatch --watch` and waits for its first pass. @param more of its flags */
export async function watching(world: World, id: string, ...more: string[]): Promise<Bun.Subprocess> {
  const words = ["dispatch", "--watch", "--dispatcher-id", id, ...more];
  const watch = Bun.spawn([...MAIN, ...words], { env: world.env, cwd: world.work, stdin: "ignore", stdout: "ignore", stderr: "ignore" });
  await until("its first pass", () => world.rows("select 1 from dispatchers where pid = ? and iterations > 0", watch.pid).length > 0, 60);
  return watch;
}

export const stopWatching = async (watch: Bun.Subprocess): Promise<void> => {
  watch.kill("SIGTERM");
  await watch.exited;
};

/** What runs in this world's Codex home; `word`: with this among its words. */
export async function running(world: CodexSuiteWorld, word?: string): Promise<number[]> {
  const found: number[] = [];
  for (const { pid } of (await listProcesses(world.env)) ?? []) {
    if (environmentOf(pid, "CODEX_HOME") !== world.codexHome || !alive(pid)) continue;
    if (word === undefined || (await commandLineOf(pid, world.env))?.includes(word)) found.push(pid);
  }
  return found;
}

/** Where a session's server listens: its own name for it, and the place that Codex has made it a link to. */
export function socketsOf(world: World, name: string): string[] {
  const [row] = world.rows<{ socket: string }>(
    "select socket from session_sockets k join sessions s on s.id = k.session_id where s.name = ?",
    name,
  );
  const place = readlinkSync(row!.socket);
  expect(statSync(place).isSocket()).toBe(true);
  return [row!.socket, place, `${place}.lock`];
}

/** Waits until nothing of this world's agents runs, and none of these files is there. */
export async function nothingLeft(world: CodexSuiteWorld, sockets: readonly string[]): Promise<void> {
  await until("the end of all its processes", async () => (await running(world)).length === 0);
  expect(sockets.filter((path) => existsSync(path))).toEqual([]);
}

interface Sent {
  readonly state: string;
  readonly begun: number;
}

/** All that was said to the sessions of a world, each text another one, held against what the agent and our records have of it. */
export class Account {
  readonly said: string[] = [];
  private readonly looked = new Map<string, number>();
  private readonly counts = new Map<string, number>();
  /** Files in which a turn is open. */
  private readonly open = new Set<string>();
  constructor(
    private readonly world: CodexSuiteWorld,
    private readonly chance = new Chance(),
  ) {}

  /** Remembers a text that is about to be said. */
  add(text: string): string {
    this.said.push(text);
    return text;
  }

  /** How often the agent's records have it, in any conversation. */
  times(text: string): number {
    this.look();
    return this.counts.get(text) ?? 0;
  }

  /** Waits until no turn of the thread is open. */
  idle = (thread: string) =>
    until(
      `the end of the turn of ${thread}`,
      () => {
        this.look();
        return ![...this.open].some((path) => path.includes(thread));
      },
      60,
    );

  /** Reads the agent's records on from where they ended. */
  private look(): void {
    for (const name of new Bun.Glob("sessions/**/*.jsonl").scanSync(this.world.codexHome)) this.read(join(this.world.codexHome, name));
  }

  private read(path: string): void {
    const from = this.looked.get(path) ?? 0;
    if (statSync(path).size === from) return;
    const bytes = readFileSync(path);
    const end = bytes.lastIndexOf(10) + 1;
    this.looked.set(path, end);
    for (const line of bytes.subarray(from, end).toString().split("\n")) {
      if (!agents.codex.transcript.mayProve(line) && !/"(task_started|task_complete|turn_aborted)"/.test(line)) continue;
      for (const fact of factsOf(agents.codex, line)) {
        if (fact.kind === "user") this.counts.set(fact.text, (this.counts.get(fact.text) ?? 0) + 1);
        if (fact.kind === "turn_started") this.open.add(path);
        if (fact.kind === "turn_completed" || fact.kind === "turn_aborted") this.open.delete(path);
      }
    }
  }

  /** What our records say of it: every sending, oldest first. */
  sendings = (text: string): Sent[] =>
    this.world.rows<Sent>(
      "select state, side_effect_started as begun from deliveries where text_digest = ? order by created_at, rowid",
      fingerprint(text, sha256).digest,
    );

  /** What became of it, step by step, for who looks for a fault. */
  story = (text: string): string =>
    JSON.stringify({
      times: this.times(text),
      sendings: this.world.rows("select * from deliveries where text_digest = ?", fingerprint(text, sha256).digest),
      steps: this.world.rows(
        "select s.* from delivery_steps s join deliveries d on d.id = s.delivery_id where d.text_digest = ? order by s.rowid",
        fingerprint(text, sha256).digest,
      ),
      dispatchers: this.world.rows("select * from dispatchers"),
    });

  /**
   * Sees to it that each text stands in the records of the agent as often as ours say: once where it was delivered, never where it failed
   * or was not begun, at most once where nobody can tell.
   * @param certain nothing may be uncertain, or not sent
   */
  check(certain: boolean): Record<string, number> {
    const figures = { said: this.said.length, once: 0, lost: 0, twice: 0, unsent: 0, unknown: 0, arrived_all_the_same: 0 };
    const wrong: unknown[] = [];
    expect(new Set(this.said).size).toBe(this.said.length);
    for (const text of this.said) {
      const [times, sendings] = [this.times(text), this.sendings(text)];
      const states = sendings.map(({ state }) => state);
      const delivered = states.filter((state) => state === "delivered").length;
      const open = states.filter((state) => ["sending", "typed", "unknown"].includes(state)).length;
      const fits = times <= 1 && delivered <= 1 && (delivered === 1 ? times === 1 : times === 0 || open > 0) && !states.includes("sending");
      if (times > 1) figures.twice++;
      else if (delivered === 1 && times === 0) figures.lost++;
      else if (delivered === 1) figures.once++;
      else if (open > 0) {
        figures.unknown++;
        figures.arrived_all_the_same += times;
      } else figures.unsent++;
      if (!fits || (certain && delivered !== 1)) wrong.push({ text: text.slice(0, 80), times, states });
    }
    tell(`seed ${this.chance.seed}`, figures);
    expect(wrong).toEqual([]);
    return figures;
  }
}

/** Connects to a socket and says whether somebody answered there. */
export const PROBE = `
  import { connect } from "node:net";
  const line = connect(process.argv[2]);
  const said = (word) => (console.log("the socket: " + word), process.exit());
  line.on("connect", () => said("reached")).on("error", (error) => said("refused, " + error.code));
`;
