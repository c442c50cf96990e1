/** Interrupts between sending and uptake, by us and by the person at the terminal: no message is lost, and none arrives twice. */
import { expect, test } from "bun:test";
import type { CodexSuiteWorld } from "../../agent-suite/codex-world.ts";
import { Terminal } from "../../agent-suite/world.ts";
import { until } from "../../harness.ts";
import { Account, boundTask, Chance, MAIN, servedWorker, stopWatching, tell, VERSIONS, watching } from "../../served-world.ts";
import { LONG } from "../../long.ts";

/** Of each version. */
const ROUNDS = LONG ? 150 : 5;

/** Who says it: a command of ours, Dispatch, or a command that is killed once it has begun. */
const WAYS = ["command", "dispatch", "killed"] as const;

class Interrupting {
  readonly chance = new Chance();
  readonly account: Account;
  readonly figures: Record<string, number> = {};
  private readonly terminal: Terminal;
  constructor(
    private readonly world: CodexSuiteWorld,
    private readonly thread: string,
  ) {
    this.account = new Account(world, this.chance);
    this.terminal = new Terminal(world, "w1");
  }

  private count(what: string): void {
    this.figures[what] = (this.figures[what] ?? 0) + 1;
  }

  async round(n: number): Promise<void> {
    const { world, chance } = this;
    // What joins a turn while the model is asked is taken at once, and ends it: a person's key could come to an idle agent then.
    const asking = chance.below(4) === 0;
    await this.busy(n, asking);
    const person = !asking && chance.below(2) === 0;
    const texts = Array.from({ length: 1 + chance.below(3) }, (_, each) => this.account.add(`joined ${n}.${each}`));
    const sendings = texts.map((text) => this.one(text, chance.pick(WAYS)));
    // As soon as the first is on its way, or whatever is on its way by then.
    if (chance.below(4) > 0) await until("its word", () => this.account.sendings(texts[0]!).length > 0);
    await Bun.sleep(chance.below(80));
    if (person) await this.terminal.keys("Escape");
    else await world.ok("session-interrupt w1");
    this.count(person ? "by a person" : "by us");
    await Promise.all(sendings);
    for (const text of texts) await until(`${text} to be delivered`, () => this.isDelivered(text), 60);
    await world.idle(this.thread);
  }

  private async busy(n: number, asking: boolean): Promise<void> {
    const { world } = this;
    const words = asking ? `hold h${n}` : `run sleep ${1000 + n}`;
    await world.ok(["session-nudge", "w1", "--", this.account.add(words)]);
    if (asking) await until("the model to be asked", () => world.model.isHolding(`h${n}`));
    else await world.runs(`sleep ${1000 + n}`);
  }

  private isDelivered = (text: string): boolean => this.account.sendings(text).some(({ state }) => state === "delivered");

  private async one(text: string, way: (typeof WAYS)[number]): Promise<void> {
    const { world } = this;
    this.count(way);
    if (way === "dispatch") return world.ok(["enqueue-nudge-worker", "t1", "--message", text]);
    if (way === "command") {
      expect(await world.ok(["session-nudge", "w1", "--", text])).toMatchObject({ transport: "codex_protocol", proof: "seen" });
      return;
    }
    const words = [...MAIN, "session-nudge", "w1", "--", text];
    const sender = Bun.spawn(words, { env: world.env, cwd: world.work, stdin: "ignore", stdout: "ignore", stderr: "ignore" });
    await until(`the beginning of ${text}`, () => this.account.sendings(text).length > 0);
    sender.kill("SIGKILL");
    await sender.exited;
  }

  /** How often a message had to be said again. */
  again = (): number =>
    this.world.rows<{ n: number }>("select count(*) as n from delivery_steps where step in ('lost with its turn', 'said again')")[0]!.n;
}

for (const [label, make] of VERSIONS)
  test.concurrent(
    `${label}: ${ROUNDS} interrupts`,
    async () => {
      const world = make();
      try {
        const thread = await servedWorker(world, "w1");
        await boundTask(world);
        const watch = await watching(world, "d");
        const interrupting = new Interrupting(world, thread);
        for (let n = 0; n < ROUNDS; n++) await interrupting.round(n);
        await stopWatching(watch);
        tell(`${label}, seed ${interrupting.chance.seed}`, { ...interrupting.figures, "said again": interrupting.again() });
        interrupting.account.check(true);
        expect(interrupting.again()).toBeGreaterThan(0);
        expect(world.rows("select 1 from texts_under_way")).toEqual([]);
      } finally {
        await world.close();
      }
    },
    1_200_000,
  );
