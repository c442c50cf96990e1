/**
 * Messages by protocol, two hundred in the long run, whatever the agent does and its terminal shows: each arrives once, a person's draft
 * stays.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import type { CodexSuiteWorld } from "../../agent-suite/codex-world.ts";
import { Terminal } from "../../agent-suite/world.ts";
import { Hands } from "../../codex-hands.ts";
import { until } from "../../harness.ts";
import { Account, boundTask, servedWorker, stopWatching, VERSIONS, watching } from "../../served-world.ts";
import { LONG } from "../../long.ts";

/** To each of ten situations of each version. */
const EACH = LONG ? 10 : 1;
const DRAFT = "my half thought";
const VIM = "vim_mode_default = true\n";

const TEXTS: readonly ((n: number) => string)[] = [
  (n) => `plain number ${n}`,
  (n) => `/tmp/picture-${n}.png`,
  (n) => `/compact the conversation ${n}`,
  (n) => `!touch never-${n}`,
  (n) => `${"word ".repeat(2996)}end ${String(n).padStart(4, "0")}!!`,
  (n) => `before ${n}\u001b[201~\tafter\u0007 \u202eevil\u202c ze\u200bro 🙂 日本語`,
  (n) => `/quit ${n}`,
  (n) => `first line ${n}\n\n\tthird\r\nfourth  `,
  (n) => `-${n} --begins with dashes, @README.md and $skill`,
  (n) => `'quotes' "${n}" \`touch never\` \\ $(touch never-${n})`,
];

class Told {
  readonly terminal: Terminal;
  readonly hands: Hands;
  constructor(
    readonly world: CodexSuiteWorld,
    readonly name: string,
    readonly thread: string,
    readonly account: Account,
  ) {
    this.terminal = new Terminal(world, name);
    this.hands = new Hands(world, `codex-${name}`);
  }

  private next(): string {
    const n = this.account.said.length;
    return this.account.add(TEXTS[(n + Math.floor(n / TEXTS.length)) % TEXTS.length]!(n));
  }

  /** Says one, to the bound worker by Dispatch every other time, and waits until it is recorded as arrived. */
  async one(): Promise<void> {
    const text = this.next();
    if (this.name !== "w1" || this.account.said.length % 2 === 0) {
      expect(await this.world.ok(["session-nudge", this.name, "--", text])).toMatchObject({ transport: "codex_protocol", proof: "seen" });
      return;
    }
    await this.world.ok(["enqueue-nudge-worker", "t1", `--message=${text}`]);
    await until("it to be delivered", () => this.account.sendings(text).some(({ state }) => state === "delivered"), 60);
  }

  /** One after the other, each in a turn of its own. */
  async each(count = EACH): Promise<void> {
    for (let n = 0; n < count; n++) {
      await this.one();
      await this.account.idle(this.thread);
    }
  }

  /** While a command runs: several at once join its turn, and are taken when the command is over. */
  async working(count = EACH): Promise<void> {
    for (let n = 0; n < count; n += 5) {
      const begun = `begun-${this.account.said.length}`;
      await this.world.ok(["session-nudge", this.name, "--", this.account.add(`run touch ${begun} && sleep 1`)]);
      await until("its command", () => existsSync(join(this.world.project, begun)));
      await Promise.all(Array.from({ length: Math.min(5, count - n) }, () => this.one()));
      await this.account.idle(this.thread);
    }
  }

  /** While the model is asked, which is cut short by what is said. */
  async asking(count = EACH): Promise<void> {
    for (let n = 0; n < count; n += 5) {
      const name = `held-${this.account.said.length}`;
      await this.world.ok(["session-nudge", this.name, "--", this.account.add(`hold ${name}`)]);
      await until("the model to be asked", () => this.world.model.isHolding(name));
      await Promise.all(Array.from({ length: Math.min(5, count - n) }, () => this.one()));
      await this.account.idle(this.thread);
    }
  }

  /** Under a page that covers the composer; `press` is what opens it. */
  async under(page: "choice" | "transcript", press: () => Promise<unknown>): Promise<void> {
    await this.hands.rest();
    await this.turn(page, press);
    await this.each();
    await this.terminal.page(page);
    await this.turn("idle", () => this.terminal.keys("Escape"));
  }

  /** Presses until this page is there: a key that comes while something is being drawn is lost. */
  private turn = (page: "choice" | "transcript" | "idle", press: () => Promise<unknown>) =>
    until(`the page ${page}`, async () => {
      const there = async () => (await this.terminal.screen()).page === page;
      if (await there()) return true;
      await press();
      return until("its effect", there, 1).catch(() => false);
    });

  draftStays = () => until("the draft", async () => (await this.terminal.screen()).composer?.text === DRAFT);
}

for (const [label, make] of VERSIONS)
  test.concurrent(
    `${label}: ${EACH * 10} messages`,
    async () => {
      const world = make();
      try {
        const account = new Account(world);
        const config = join(world.codexHome, "config.toml");
        appendFileSync(config, `\n[tui]\n${VIM}`);
        const vim = new Told(world, "v1", await servedWorker(world, "v1"), account);
        writeFileSync(config, readFileSync(config, "utf8").replace(VIM, ""));
        const one = new Told(world, "w1", await servedWorker(world, "w1"), account);
        const { hands, terminal } = one;
        await boundTask(world);
        const watch = await watching(world, "d");
        await one.each();
        await one.working();
        await one.asking();
        await one.under("choice", () => hands.say("/model"));
        await one.under("transcript", () => terminal.keys("Escape"));
        await hands.rest();
        await terminal.draft(DRAFT);
        await one.each();
        await one.working();
        await one.draftStays();
        await vim.hands.rest();
        await vim.terminal.draft(DRAFT);
        await vim.each();
        await vim.terminal.keys("Escape");
        await vim.hands.shows("Vim: Normal");
        await vim.each();
        await vim.working();
        await vim.draftStays();
        await vim.hands.shows("Vim: Normal");
        await one.draftStays();
        await stopWatching(watch);
        account.check(true);
        expect([...new Bun.Glob("never*").scanSync(world.project)]).toEqual([]);
        expect(existsSync(join(world.work, "never"))).toBe(false);
      } finally {
        await world.close();
      }
    },
    600_000,
  );
