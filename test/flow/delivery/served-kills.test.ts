/**
 * Server, client, host and Dispatch killed at random while messages are sent: each arrives once, or is told not to have, or that nobody
 * can tell.
 */
import { expect, test } from "bun:test";
import { alive } from "../../../src/system/processes/processes.ts";
import type { CodexSuiteWorld } from "../../agent-suite/codex-world.ts";
import { strike, until } from "../../harness.ts";
import { Account, boundTask, Chance, MAIN, running, servedWorker, stopWatching, tell, VERSIONS, watching } from "../../served-world.ts";
import { LONG } from "../../long.ts";

/** In the long run by time, else each of them once. */
const SECONDS = 600;
/** So many sendings of ours at once. */
const AT_ONCE = 4;

const VICTIMS = LONG
  ? (["server", "server", "client", "host", "dispatch", "dispatch"] as const)
  : (["server", "client", "host", "dispatch"] as const);

class Struck {
  readonly chance = new Chance();
  readonly account: Account;
  readonly kills: Record<string, number> = {};
  private readonly under = new Set<Promise<unknown>>();
  private end = 0;
  private over = false;
  private waiting: (typeof VICTIMS)[number][] = [];
  /** While no session is there nothing new is said; what was on its way when it died goes on. */
  private anew: Promise<void> = Promise.resolve();
  private watch: Bun.Subprocess | null = null;
  private watches = 0;

  constructor(private readonly world: CodexSuiteWorld) {
    this.account = new Account(world, this.chance);
  }

  async run(): Promise<void> {
    const { world } = this;
    await servedWorker(world, "w1");
    await boundTask(world);
    this.watch = await watching(world, "d0");
    this.end = performance.now() + SECONDS * 1000;
    this.waiting = [...VICTIMS];
    const striking = this.strike().finally(() => (this.over = true));
    await Promise.all([this.send(), striking]);
    await Promise.all(this.under);
    await this.revive();
    await until(
      "the end of all that was under way",
      () =>
        world.rows("select 1 from commands where state in ('pending', 'attempted')").length +
          world.rows("select 1 from texts_under_way").length ===
        0,
      120,
    );
    await stopWatching(this.watch!);
    await world.run("dispatch --ingest");
  }

  private get goesOn(): boolean {
    return !this.over && (LONG ? performance.now() < this.end : this.waiting.length > 0);
  }

  /** Says one thing after the other, by one of three ways, half of them to an agent at work. */
  private async send(): Promise<void> {
    for (let serial = 0; this.goesOn; serial++) {
      const { chance } = this;
      const work = chance.pick(["", "", `run sleep ${(0.3 + chance.below(20) / 10).toFixed(1)}\n`]);
      const sending = this.one(this.account.add(`${work}number ${serial}`), chance.below(10), chance.below(1500)).finally(() =>
        this.under.delete(sending),
      );
      this.under.add(sending);
      await Bun.sleep(chance.below(900));
      await this.anew;
      if (this.under.size >= AT_ONCE) await Promise.race(this.under);
    }
  }

  private async one(text: string, way: number, livesMs: number): Promise<unknown> {
    const { world } = this;
    if (way < 4) return world.ok(["enqueue-nudge-worker", "t1", "--message", text]);
    if (way < 7) return world.run(["session-nudge", "w1", "--", text]);
    const words = ["session-nudge", "w1", "--", text];
    const sender = Bun.spawn([...MAIN, ...words], { env: world.env, cwd: world.work, stdin: "ignore", stdout: "ignore", stderr: "ignore" });
    if (way === 9) {
      await Bun.sleep(livesMs);
      sender.kill("SIGKILL");
    }
    return sender.exited;
  }

  private async strike(): Promise<void> {
    while (this.goesOn) {
      await Bun.sleep(500 + this.chance.below(LONG ? 4500 : 1000));
      if (LONG && this.waiting.length === 0) this.waiting = [...VICTIMS];
      const [victim] = this.waiting.splice(this.chance.below(this.waiting.length), 1) as [(typeof VICTIMS)[number]];
      // Its session ends with either.
      const goOn = victim === "client" || victim === "host" ? this.hold() : () => {};
      strike(...(await this.victims(victim)));
      this.kills[victim] = (this.kills[victim] ?? 0) + 1;
      await this.revive();
      goOn();
    }
  }

  /** Nothing new is said until the function that this gives is called. */
  private hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.anew = promise;
    return resolve;
  }

  private async victims(victim: (typeof VICTIMS)[number]): Promise<number[]> {
    if (victim === "dispatch") return [this.watch!.pid];
    if (victim === "host") return [this.host()];
    return running(this.world, victim === "server" ? "app-server" : "--remote");
  }

  private host = (): number => this.world.rows<{ pid: number }>("select pid from sessions where name = 'w1'")[0]!.pid;

  /** Whoever is gone is started again: a dead server by its host; with host or client the session has ended, and another one begins. */
  private async revive(): Promise<void> {
    const { world } = this;
    if (this.watch!.exitCode !== null || this.watch!.signalCode !== null) this.watch = await watching(world, `d${++this.watches}`);
    // A client's end is its host's, a moment later; so is a server's that has died too often.
    const ends = async (): Promise<boolean> => !alive(this.host()) || (await running(world, "--remote")).length === 0;
    if (!(await ends())) return;
    await until("the end of the host", () => !alive(this.host()));
    const goOn = this.hold();
    await world.ok("stop w1 --json");
    await world.ok("unbind --task t1");
    await servedWorker(world, "w1");
    await world.ok("bind --task t1 --worker w1 --manager m1");
    goOn();
    this.kills["started anew"] = (this.kills["started anew"] ?? 0) + 1;
  }
}

for (const [label, make] of VERSIONS)
  test.concurrent(
    `${label}, ${LONG ? `for ${SECONDS} s` : "each once"}`,
    async () => {
      const world = make();
      try {
        const struck = new Struck(world);
        await struck.run();
        tell(`${label}, seed ${struck.chance.seed}: killed`, struck.kills);
        const { once } = struck.account.check(false);
        expect(once).toBeGreaterThan(0);
        expect(world.rows("select 1 from commands where state in ('pending', 'attempted')")).toEqual([]);
      } finally {
        await world.close();
      }
    },
    1_200_000,
  );
