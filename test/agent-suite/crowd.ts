/**
 * A manager with twenty workers whose turns end at random, run against the real program as manager. Twenty real agents do not fit on two cores:
 * the workers are records that the test writes line by line, as Codex writes its own.
 */
import { appendFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { AgentFact } from "../../src/core/agent/record.ts";
import type { PlainModel } from "../codex-world.ts";
import { until } from "../harness.ts";
import { LONG } from "../long.ts";
import { Chance, stopWatching, tell, watching } from "../served-world.ts";
import type { AgentWorld } from "./world.ts";

const WORKERS = 20;
const chance = new Chance();

/** The same model, which thinks for a while before each answer. */
export function thinking<M extends PlainModel>(model: M): M {
  const { script } = model;
  const slow: PlainModel["script"] = async (request) => {
    await Bun.sleep(50 + chance.below(900));
    return script(request);
  };
  return Object.assign(model, { script: slow });
}

/** A worker whose record the test writes. */
export class WrittenWorker {
  private readonly thread: string;
  private path = "";
  /** The mark in the last words of each of its turns. */
  readonly marks: string[] = [];

  constructor(
    private readonly world: AgentWorld,
    private readonly number: number,
  ) {
    this.thread = `11111111-1111-4111-8111-${String(number).padStart(12, "0")}`;
  }

  get name(): string {
    return `w${this.number}`;
  }

  get task(): string {
    return `t${this.number}`;
  }

  /** Puts it on record, and under the manager. */
  async bind(): Promise<void> {
    const { world, thread } = this;
    const meta = { id: thread, cwd: world.work, originator: "codex-tui", cli_version: "0.169.0" };
    this.path = await world.file(
      `codex/sessions/2026/05/11/rollout-2026-05-11T14-00-00-${thread}.jsonl`,
      `${JSON.stringify({ timestamp: "2020-01-01T00:00:00.000Z", type: "session_meta", payload: meta })}\n`,
    );
    const at = ["--pid", String(process.pid), "--codex-session", this.path, "--cwd", world.work, "--agent", "codex"];
    await world.ok(["register-worker", "--name", this.name, ...at]);
    await world.ok(["tasks", "--create", this.task, "--goal", "g"]);
    await world.ok(["bind", "--task", this.task, "--worker", this.name, "--manager", "m1", "--crew"]);
  }

  private write(payload: Record<string, unknown>): void {
    appendFileSync(this.path, `${JSON.stringify({ timestamp: new Date().toISOString(), type: "event_msg", payload })}\n`);
  }

  /** Begins a turn and ends it. @param words the last ones of it; a mark stands before them */
  turn(words = "It is done.\nSee the second line."): void {
    const turn_id = `turn-${this.number}-${this.marks.length + 1}`;
    const mark = `mark-${this.number}-${this.marks.length + 1}-`;
    this.marks.push(mark);
    this.write({ type: "task_started", turn_id });
    this.write({ type: "task_complete", turn_id, last_agent_message: `${mark} ${words}` });
  }
}

/** A manager by the real program, and workers under it. */
export class Crowd {
  readonly workers: WrittenWorker[];
  manager = "";
  private before = 0;

  constructor(
    readonly world: AgentWorld,
    count: number,
  ) {
    this.workers = Array.from({ length: count }, (_, index) => new WrittenWorker(world, index + 1));
  }

  async start(): Promise<void> {
    const { world } = this;
    const words = ["start-manager", "--name", "m1", "--cwd", world.project, "--timeout-seconds", "60"];
    this.manager = (await world.ok(words)).codex_session_id;
    for (const worker of this.workers) await worker.bind();
    await world.idle(this.manager);
    this.before = this.facts(0).length;
  }

  private facts(from = this.before): AgentFact[] {
    const told: AgentFact["kind"][] = ["turn_started", "user", "turn_completed", "turn_aborted"];
    return (this.world.rollouts().get(this.manager) ?? []).filter(({ kind }) => told.includes(kind)).slice(from);
  }

  /** What was said to it since the start, in its own record. */
  said = (): string[] => this.facts().flatMap((fact) => (fact.kind === "user" ? [fact.text] : []));

  /** What its record tells of turns and messages, a letter each: `<` a turn begins, `m` a message, `>` a turn ends. */
  course = (): string =>
    this.facts()
      .map(({ kind }) => (kind === "turn_started" ? "<" : kind === "user" ? "m" : ">"))
      .join("");

  /** How often each worker's turns are told of, by its name. */
  told = (): Record<string, number> =>
    Object.fromEntries(
      this.workers.map(({ name, task }) => {
        const alone = `Worker ${name} seems to have finished a turn of task ${task}. `;
        const line = new RegExp(`^\\d+\\. Task ${task}, worker ${name}: seems to have finished a turn\\. `, "gm");
        return [name, this.said().reduce((sum, text) => sum + (text.startsWith(alone) ? 1 : (text.match(line)?.length ?? 0)), 0)];
      }),
    );

  /** Until all that ended was told, and heard out. */
  async settled(): Promise<void> {
    const ended = this.workers.reduce((sum, { marks }) => sum + marks.length, 0);
    await until(
      "every ended turn to be told",
      () =>
        this.world.rows("select 1 from routed_notifications where state = 'delivered' and signal_type = 'worker_task_complete'").length ===
        ended,
      30,
    );
    await this.world.idle(this.manager);
    await until("the end of its last turn", () => this.course().endsWith(">"));
  }
}

interface Wake {
  readonly said_at: string;
  readonly first: string;
  readonly idle_at: string | null;
}

/** How long after it could have been told each wake came, in milliseconds, sorted: after its first turn's end, or its manager's if that was later. */
function delays(world: AgentWorld): number[] {
  const wakes = world.rows<Wake>(
    `select u.timestamp as said_at, min(n.source_event_timestamp) as first,
       (select max(timestamp) from codex_events e where e.session_id = u.session_id and e.subtype = 'task_complete' and e.id < u.id) as idle_at
     from deliveries d join routed_notifications n on n.id = d.notification_id or n.id in
       (select notification_id from digest_messages where delivery_id = d.id)
     join codex_events u on u.session_id = d.session_id and u.byte_offset = d.proof_offset where d.state = 'delivered' group by d.id`,
  );
  return wakes
    .map(({ said_at, first, idle_at }) => Date.parse(said_at) - Math.max(Date.parse(first), Date.parse(idle_at ?? first)))
    .sort((a, b) => a - b);
}

/** @param make a new world; it is closed afterwards */
export function crowdSuite(make: () => AgentWorld & { close(): Promise<void> }): void {
  let crowd: Crowd;
  let watch: Bun.Subprocess;
  beforeAll(async () => {
    crowd = new Crowd(make(), WORKERS);
    await crowd.start();
    watch = await watching(crowd.world, "crowd");
  }, 180_000);
  afterAll(async () => {
    await stopWatching(watch);
    await crowd.world.close();
  });

  const seconds = LONG === null ? 6 : 300;
  test(
    `${WORKERS} workers whose turns end at random for ${seconds} s: each is told once, and never while the manager works`,
    async () => {
      for (
        const end = performance.now() + seconds * 1000;
        performance.now() < end;
        await Bun.sleep(chance.below(LONG === null ? 120 : 800))
      )
        chance.pick(crowd.workers).turn();
      await crowd.settled();
      const { workers, world } = crowd;
      expect(crowd.told()).toEqual(Object.fromEntries(workers.map(({ name, marks }) => [name, marks.length])));
      const said = crowd.said();
      // The words of each turn stand in one message at most: who is told at once looks itself.
      for (const mark of workers.flatMap(({ marks }) => marks))
        expect(said.filter((text) => text.includes(mark)).length).toBeLessThanOrEqual(1);
      expect(said.filter((text) => text.includes(" messages came together:")).length).toBeGreaterThan(1);
      // A turn for each message, and no message in a turn that another began.
      expect(crowd.course()).toBe("<m>".repeat(said.length));
      // On a busy machine one may not have been begun: it came with the next.
      const unsent = world.rows<{ error: string }>("select error from deliveries where side_effect_started = 0");
      const begun = "select distinct state, proof from deliveries where side_effect_started = 1 and session_name = 'm1'";
      expect(world.rows(begun)).toEqual([{ state: "delivered", proof: "seen" }]);
      const late = delays(world);
      expect(late).toHaveLength(said.length);
      const p99 = late[Math.ceil(late.length * 0.99) - 1]!;
      tell("a crowd", {
        seed: chance.seed,
        turns: workers.reduce((sum, { marks }) => sum + marks.length, 0),
        messages: said.length,
        unsent: JSON.stringify(unsent.map(({ error }) => error)),
        p50: late[late.length >> 1],
        p99,
      });
      if (LONG !== null) expect(p99).toBeLessThan(1000);
    },
    (seconds + 120) * 1000,
  );
}
