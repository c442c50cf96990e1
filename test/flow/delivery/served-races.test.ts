/**
 * Approvals answered by us and by the person's key at the same time: the command runs at most once, and the record says whose answer
 * counted.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import type { CodexSuiteWorld } from "../../agent-suite/codex-world.ts";
import { Terminal } from "../../agent-suite/world.ts";
import { until } from "../../harness.ts";
import { boundTask, Chance, MAIN, servedWorker, stopWatching, tell, VERSIONS, watching } from "../../served-world.ts";
import { LONG } from "../../long.ts";

/** Of each version. */
const ROUNDS = LONG ? 50 : 3;

interface Recorded {
  readonly answered_by: string | null;
  /** Null until it is told how it ended. */
  readonly proof: string | null;
}

class Race {
  readonly chance = new Chance();
  readonly figures = { "by us": 0, "by the person": 0, "nobody can tell": 0, ran: 0, "ran twice": 0 };
  private readonly terminal: Terminal;
  /** From our command's start to the key: moved so that either comes first as often. */
  private delay = 600;
  constructor(
    private readonly world: CodexSuiteWorld,
    private readonly thread: string,
  ) {
    this.terminal = new Terminal(world, "w1");
  }

  async round(n: number): Promise<void> {
    const { world, chance, terminal } = this;
    const file = `asked-${n}.`;
    // After a turn that was broken off the scripted model takes its output for the newest that was said.
    await world.ok(["session-nudge", "w1", "--", `between ${n}`]);
    await world.idle(this.thread);
    await world.ok(["session-nudge", "w1", "--", `ask echo ran >> ${file}`]);
    await terminal.page("command_approval");
    await until("the ask on record", () => this.asks(file).length > 0);
    const [ours, theirs] = [chance.pick(["yes", "no"]), chance.pick(["yes", "no"])];
    const words = ["answer", "w1", ours, "--json"];
    const second = chance.below(4) === 0 ? Bun.spawn([...MAIN, ...words], { env: world.env, stdout: "ignore", stderr: "ignore" }) : null;
    const [answered] = await Promise.all([
      world.run(words),
      Bun.sleep(Math.max(0, this.delay + chance.below(80) - 40)).then(() => terminal.keys(theirs === "yes" ? "y" : "n")),
      second?.exited,
    ]);
    await world.idle(this.thread);
    await this.cleared();
    const [recorded, more] = await until("its end on record", () => {
      const asks = this.asks(file);
      return asks.length > 0 && asks.every(({ proof }) => proof !== null) && asks;
    });
    const ran = this.ran(file);
    const by = recorded!.answered_by;
    if (answered.stdout === "") expect(answered.stderr).toMatch(/asks nothing|answered already|no longer asked|ended meanwhile/);
    if (more !== undefined) throw new Error(`asked twice: ${JSON.stringify(this.asks(file))}`);
    this.delay = Math.min(2000, this.delay * (by === "us" ? 0.75 : 1.4));
    this.figures[by === "us" ? "by us" : by === null ? "nobody can tell" : "by the person"]++;
    this.figures.ran += Math.min(ran, 1);
    this.figures["ran twice"] += ran > 1 ? 1 : 0;
    // Whose answer counted is what was done; what the command told is what is on record, or that it was not told yet.
    const round = { n, ours, theirs, by, stderr: answered.stderr };
    const told = answered.stdout === "" || answered.json().proof === "pending" ? null : answered.json();
    const done = (by === "us" ? ours : theirs) === "yes" ? 1 : 0;
    expect({ ...round, ran }).toEqual({ ...round, ran: by === null ? Math.min(ran, 1) : done });
    expect({ ...round, said: told === null ? by : told.answered_by }).toEqual({ ...round, said: by });
  }

  private asks = (file: string): Recorded[] => this.world.rows("select * from agent_asks where instr(command, ?) > 0", file);

  private ran(file: string): number {
    const path = join(this.world.project, file);
    return existsSync(path) ? readFileSync(path, "utf8").split("\n").length - 1 : 0;
  }

  /** A key that came after the question stands in the composer. */
  private async cleared(): Promise<void> {
    await until("an empty composer", async () => {
      const { page } = await this.terminal.screen();
      if (page === "draft") await this.terminal.keys("C-u");
      return page === "idle";
    });
  }
}

for (const [label, make] of VERSIONS)
  test.concurrent(
    `${label}: ${ROUNDS} races`,
    async () => {
      const world = make();
      try {
        const thread = await servedWorker(world, "w1", ...world.asking);
        await boundTask(world);
        // Its manager is this very process, which needs the right to answer.
        await world.ok(["manager-config", "t1", "--permissions-json", '{"operator.answer": true}']);
        const watch = await watching(world, "d");
        const race = new Race(world, thread);
        try {
          for (let n = 0; n < ROUNDS; n++) await race.round(n);
        } finally {
          tell(`${label}, seed ${race.chance.seed}`, race.figures);
        }
        await stopWatching(watch);
        if (LONG) expect(Math.min(race.figures["by us"], race.figures["by the person"])).toBeGreaterThan(0);
      } finally {
        await world.close();
      }
    },
    1_200_000,
  );
