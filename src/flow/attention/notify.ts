/** Telling a person of what needs them, by the rules they have made: each item once a rule, whoever else looks at the same records. */
import type { Context } from "../../context.ts";
import { allAgents } from "../../core/agent/agents.ts";
import { isNamed, type Item, ledBy } from "../../core/attention/item.ts";
import { type Notice, nextNotice, noticeOf, type Rule, wants } from "../../core/attention/notify.ts";
import { Failure } from "../../core/failure.ts";
import { compactJson } from "../../core/json.ts";
import { harmless } from "../../core/plain-text.ts";
import { instant } from "../../core/time.ts";
import { claimNotice, endNotice, lastNotice, type NoticeKey } from "../../store/attention/notices.ts";
import { showOnDesktop } from "../../system/desktop.ts";
import { isFolder } from "../../system/files/folders.ts";
import { readRules } from "../../system/notify-rules.ts";
import { runProgram, troubleOf } from "../../system/processes/run.ts";
import { thisHolder } from "../../system/processes/holder.ts";
import { thisHost } from "../../system/processes/this-process.ts";
import { ringClients } from "../../system/terminal/ring.ts";
import { recordsWords } from "../reach/next-command.ts";
import type { Scene } from "../scene.ts";
import type { Troubles } from "../troubles.ts";

/** How long a program may take. */
const PROGRAM_MS = 10_000;
/** What it prints is read only to tell why it failed. */
const MOST_BYTES = 64 << 10;

/** Variables that steer this program, or tell where it runs. */
const OURS = /^(CONVEYOR_|WORKERCTL_|TMUX(_PANE)?$)/;

/** The environment of whoever is told: without what is ours, and without the marks of a session that this may run in. */
function plainEnv(env: Context["env"]): Record<string, string | undefined> {
  const marks = allAgents.flatMap(({ inside }) => inside);
  return Object.fromEntries(Object.entries(env).filter(([name]) => !OURS.test(name) && !marks.includes(name)));
}

/** Tells it. @returns why that failed; null: it was handed over */
export async function tell(cx: Context, { how }: Rule, notice: Notice): Promise<string | null> {
  const env = plainEnv(cx.env);
  if (how.way === "bell") return ring(cx);
  if (how.way === "desktop") {
    const who = [notice.session, notice.task].filter((name) => name !== null).join(", ");
    return showOnDesktop(env, harmless(who === "" ? notice.kind : `${who}: ${notice.kind}`), harmless(notice.text));
  }
  const home = cx.env.HOME;
  const cwd = home !== undefined && isFolder(home) ? home : "/";
  const ran = await runProgram(how.argv, { env, cwd, stdin: `${compactJson(notice)}\n`, timeoutMs: PROGRAM_MS, mostBytes: MOST_BYTES });
  return ran.code === 0 ? null : troubleOf(ran);
}

/** Our own terminal, and every one that shows a session of tmux: a Dispatch in the background has none. */
async function ring(cx: Context): Promise<string | null> {
  const own = cx.outside.tty.err;
  if (own) cx.outside.write("err", "\x07");
  const others = await ringClients(cx.env);
  return own || others > 0 ? null : "no terminal is there that could ring";
}

const keyText = ({ rule, item, nth }: NoticeKey): string => JSON.stringify([rule, item, nth]);

export class Notifier {
  /** When an item of which nobody knows the beginning was seen first. */
  private readonly seen = new Map<string, number>();
  private readonly begun = new Set<string>();
  /** One at a time for each rule: a program that hangs keeps none of the others back. */
  private readonly lines = new Map<string, Promise<void>>();
  private closed = false;

  /**
   * @param troubles is told of rules that cannot be used, and of records that cannot be written
   * @param carried called when a notice has come to its end, and it is known when the next one is due
   */
  constructor(
    private readonly scene: Scene,
    private readonly troubles: Pick<Troubles, "tell" | "over">,
    private readonly carried: () => void = () => {},
  ) {}

  /** The rules as they stand now; [] when they cannot be used, which is told. */
  rules(): Rule[] {
    try {
      const rules = readRules(this.scene.cx.env);
      this.troubles.over("the rules of notify");
      return rules;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.troubles.tell("the rules of notify", error.message);
      return [];
    }
  }

  /**
   * Begins to tell what is due, and does not wait for it.
   * @param items everything that needs a person now
   * @returns when something of it will be due by time alone, in milliseconds since the epoch; null: nothing will
   */
  look(rules: readonly Rule[], items: readonly Item[]): number | null {
    const now = this.scene.cx.nowMs();
    for (const id of this.seen.keys()) if (!items.some((item) => item.id === id)) this.seen.delete(id);
    let next: number | null = null;
    for (const item of items.filter(isNamed)) {
      if (!this.seen.has(item.id)) this.seen.set(item.id, now);
      const since = instant(item.since) ?? this.seen.get(item.id)!;
      for (const rule of rules) {
        const due = wants(rule, item) ? nextNotice(rule, since, lastNotice(this.scene.store, rule.id, item.id)) : null;
        if (due === null) continue;
        if (due.atMs <= now) this.begin(rule, item, due.nth);
        else next = Math.min(next ?? due.atMs, due.atMs);
      }
    }
    return next;
  }

  private begin(rule: Rule, item: Item, nth: number): void {
    const key = { rule: rule.id, item: item.id, nth };
    const text = keyText(key);
    if (this.begun.has(text) || this.closed) return;
    this.begun.add(text);
    const before = this.lines.get(rule.id) ?? Promise.resolve();
    const line = before
      .then(() => (this.closed ? undefined : this.carry(rule, item, key)))
      .then(
        () => this.troubles.over("notify"),
        (error: Error) => this.troubles.tell("notify", `a notice could not be put on record: ${error.message}`),
      )
      .finally(() => {
        this.begun.delete(text);
        this.carried();
      });
    this.lines.set(rule.id, line);
  }

  private async carry(rule: Rule, item: Item, key: NoticeKey): Promise<void> {
    const { cx, store } = this.scene;
    if (!claimNotice(store, key, item.kind, await thisHolder(cx.env))) return;
    // It is read anywhere: what leads on names the records that it is about.
    const actions = recordsWords(cx, store).length > 0 ? item.actions : ledBy(item.actions, ["--path", store.path]);
    endNotice(store, key, await tell(cx, rule, noticeOf({ ...item, actions }, item.host ?? thisHost())));
  }

  /** Begins nothing more, and waits for what is being told. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all(this.lines.values());
  }
}
