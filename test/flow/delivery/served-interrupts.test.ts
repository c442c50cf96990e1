/** Interrupts between sending and uptake, by us and by the person at the terminal: no message is lost, and none arrives twice. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import type { CodexSuiteWorld } from "../../agent-suite/codex-world.ts";
import { Terminal } from "../../agent-suite/world.ts";
import { until } from "../../harness.ts";
import { Account, boundTask, Chance, MAIN, servedWorker, stopWatching, tell, VERSIONS, watching } from "../../served-world.ts";
import { LONG } from "../../long.ts";

/** Of each version, by so many workers at the same time: most of it is waiting. */
const WORKERS = LONG ? 3 : 1;
const ROUNDS = LONG ? 50 : 4;

/** Who says it: a command of ours, Dispatch, or a command that is killed once it has begun. */
const WAYS = ["command", "dispatch", "killed"] as const;

interface Counted {
  readonly world: CodexSuiteWorld;
  readonly chance: Chance;
  readonly account: Account;
  readonly figures: Record<string, number>;
}

class Interrupting {
  private readonly world: CodexSuiteWorld;
  private readonly chance: Chance;
  private readonly account: Account;
  private readonly terminal: Terminal;
  constructor(
    private readonly counted: Counted,
    private readonly name: string,
    private readonly thread: string,
  ) {
    this.world = counted.world;
    this.chance = counted.chance;
    this.account = counted.account;
    this.terminal = new Terminal(this.world, name);
  }

  private count(what: string): void {
    this.counted.figures[what] = (this.counted.figures[what] ?? 0) + 1;
  }

  async round(n: number): Promise<void> {
    const { world, chance } = this;
    // What joins a turn while the model is asked is taken at once, and ends it: a person's key could come to an idle agent then.
    const asking = chance.below(4) === 0;
    await this.busy(n, asking);
    const person = !asking && chance.below(2) === 0;
    const texts = Array.from({ length: 1 + chance.below(3) }, (_, each) => this.account.add(`${this.name} joined ${n}.${each}`));
    const sendings = texts.map((text) => this.one(text, chance.pick(WAYS)));
    // As soon as the first is on its way, or whatever is on its way by then.
    if (chance.below(4) > 0) await until("its word", () => this.account.sendings(texts[0]!).length > 0);
    await Bun.sleep(chance.below(80));
    if (person) await this.terminal.keys("Escape");
    else await world.ok(["session-interrupt", this.name]);
    this.count(person ? "by a person" : "by us");
    await Promise.all(sendings);
    for (const text of texts)
      await until(
        () => `${text} to be delivered: ${this.account.story(text)}`,
        () => this.isDelivered(text),
        60,
      );
    await this.account.idle(this.thread);
  }

  private async busy(n: number, asking: boolean): Promise<void> {
    const { world } = this;
    const held = `${this.name}-${n}`;
    const words = asking ? `hold ${held}` : `run touch ${held} && sleep 600`;
    await world.ok(["session-nudge", this.name, "--", this.account.add(words)]);
    if (asking) await until("the model to be asked", () => world.model.isHolding(held));
    else await until("its command", () => existsSync(join(world.project, held)));
  }

  private isDelivered = (text: string): boolean => this.account.sendings(text).some(({ state }) => state === "delivered");

  private async one(text: string, way: (typeof WAYS)[number]): Promise<void> {
    const { world } = this;
    this.count(way);
    if (way === "dispatch") return world.ok(["enqueue-nudge-worker", this.name.replace("w", "t"), "--message", text]);
    if (way === "command") {
      expect(await world.ok(["session-nudge", this.name, "--", text])).toMatchObject({ transport: "codex_protocol", proof: "seen" });
      return;
    }
    const words = [...MAIN, "session-nudge", this.name, "--", text];
    const sender = Bun.spawn(words, { env: world.env, cwd: world.work, stdin: "ignore", stdout: "ignore", stderr: "ignore" });
    await until(`the beginning of ${text}`, () => this.account.sendings(text).length > 0);
    sender.kill("SIGKILL");
    await sender.exited;
  }
}

/** How often a message had to be said again. */
const again = (world: CodexSuiteWorld): number =>
  world.rows<{ n: number }>("select count(*) as n from delivery_steps where step in ('lost with its turn', 'said again')")[0]!.n;

for (const [label, make] of VERSIONS)
  test.concurrent(
    `${label}: ${WORKERS * ROUNDS} interrupts`,
    async () => {
      const world = make();
      try {
        const chance = new Chance();
        const counted: Counted = { world, chance, account: new Account(world, chance), figures: {} };
        const all: Interrupting[] = [];
        for (let n = 1; n <= WORKERS; n++) {
          all.push(new Interrupting(counted, `w${n}`, await servedWorker(world, `w${n}`)));
          await boundTask(world, `w${n}`);
        }
        const watch = await watching(world, "d");
        await Promise.all(
          all.map(async (each) => {
            for (let n = 0; n < ROUNDS; n++) await each.round(n);
          }),
        );
        await stopWatching(watch);
        tell(`${label}, seed ${chance.seed}`, { ...counted.figures, "said again": again(world) });
        counted.account.check(true);
        expect(again(world)).toBeGreaterThan(0);
        expect(world.rows("select 1 from texts_under_way")).toEqual([]);
      } finally {
        await world.close();
      }
    },
    1_200_000,
  );
