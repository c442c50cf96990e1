/**
 * What open pages look at, kept up to date: each view is a set of named parts; a part that has changed goes out, nothing else does.
 * An event's id says how much a page has seen, so one that comes back gets exactly what it missed.
 */
import { compactJson } from "../core/json.ts";

/** The parts of one view by name. */
export type Parts = Readonly<Record<string, unknown>>;

/** What one event brings. `whole`: forget everything known before. */
export interface LiveMessage {
  readonly whole?: true;
  readonly set: Record<string, unknown>;
  readonly drop: readonly string[];
}

interface Part {
  readonly text: string;
  readonly rev: number;
}

interface View {
  readonly name: string;
  readonly born: number;
  readonly parts: Map<string, Part>;
  readonly gone: Map<string, number>;
  watchers: number;
  /** When the last watcher left; such a view is kept for a while, for those who reconnect. */
  leftAt: number;
}

const KEEP_MS = 60_000;
/** Commits often come in groups: pages get at most one event in this time, the first one at once. */
const PACE_MS = 25;
const KEEPALIVE_MS = 20_000;
const MAX_WATCHERS = 32;

export class Live {
  private readonly boot = crypto.randomUUID().slice(0, 8);
  private readonly views = new Map<string, View>();
  private readonly tellers = new Set<() => void>();
  private rev = 0;
  private refreshedAt = Number.NEGATIVE_INFINITY;
  private pending: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param build gives the parts of a view, null for a name that is none; called after every change while somebody looks
   * @param watching told when the first page comes and when the last one leaves
   */
  constructor(
    private readonly build: (view: string) => Parts | null,
    private readonly watching: (any: boolean) => void = () => {},
    private readonly clock: () => number = () => performance.now(),
  ) {}

  /** How many event streams are open. */
  get watchers(): number {
    return this.tellers.size;
  }

  /** Something has changed: brings the views up to date and tells the pages, soon or at once. */
  refresh(): void {
    if (this.tellers.size === 0 || this.pending !== undefined) return;
    const wait = this.refreshedAt + PACE_MS - this.clock();
    if (wait <= 0) return this.refreshNow();
    this.pending = setTimeout(() => {
      this.pending = undefined;
      this.refreshNow();
    }, wait);
  }

  private refreshNow(): void {
    this.forgetOld();
    let changed = false;
    for (const view of this.views.values()) if (view.watchers > 0 && this.update(view)) changed = true;
    this.refreshedAt = this.clock();
    if (changed) for (const tell of this.tellers) tell();
  }

  private update(view: View): boolean {
    const parts = this.build(view.name) ?? {};
    const next = this.rev + 1;
    let changed = false;
    for (const [name, value] of Object.entries(parts)) {
      const text = compactJson(value);
      if (view.parts.get(name)?.text === text) continue;
      view.parts.set(name, { text, rev: next });
      view.gone.delete(name);
      changed = true;
    }
    for (const name of view.parts.keys()) {
      if (Object.hasOwn(parts, name)) continue;
      view.parts.delete(name);
      view.gone.set(name, next);
      changed = true;
    }
    if (changed) this.rev = next;
    return changed;
  }

  private forgetOld(): void {
    for (const [name, view] of this.views) if (view.watchers === 0 && this.clock() - view.leftAt > KEEP_MS) this.views.delete(name);
  }

  private need(name: string): View {
    let view = this.views.get(name);
    if (!view) {
      view = { name, born: this.rev, parts: new Map(), gone: new Map(), watchers: 0, leftAt: 0 };
      this.views.set(name, view);
    }
    this.update(view);
    return view;
  }

  /** What happened in `view` after `rev`; with null: everything there is. */
  private since(view: View, rev: number | null): LiveMessage | null {
    const whole = rev === null || rev < view.born;
    const set = Object.fromEntries(
      [...view.parts].filter(([, part]) => whole || part.rev > rev).map(([name, part]) => [name, JSON.parse(part.text)]),
    );
    const drop = whole ? [] : [...view.gone].filter(([, at]) => at > rev).map(([name]) => name);
    if (!whole && Object.keys(set).length === 0 && drop.length === 0) return null;
    return { ...(whole && { whole }), set, drop };
  }

  /** Reads the id of an event that this run sent; null for none or one of an earlier run. */
  private seen(id: string | null): number | null {
    const match = /^([0-9a-f]{8})\.(\d+)$/.exec(id ?? "");
    return match && match[1] === this.boot && Number(match[2]) <= this.rev ? Number(match[2]) : null;
  }

  /**
   * An event stream of one view, as the body of an answer.
   * @param lastId id of the last event the page has, or null
   * @returns `none`: no such view; `full`: too many streams
   */
  stream(name: string, lastId: string | null): ReadableStream<Uint8Array> | "none" | "full" {
    if (this.build(name) === null) return "none";
    if (this.tellers.size >= MAX_WATCHERS) return "full";
    const encoder = new TextEncoder();
    let controller: ReadableStreamDefaultController<Uint8Array>;
    let keepalive: ReturnType<typeof setInterval> | undefined;
    this.forgetOld();
    const view = this.need(name);
    let sent = this.seen(lastId);
    // A reader that is slow gets nothing until it has read on, and then the difference: nothing piles up.
    const tell = (): void => {
      if ((controller.desiredSize ?? 0) <= 0) return;
      const message = this.since(view, sent);
      sent = this.rev;
      if (message) controller.enqueue(encoder.encode(`id: ${this.boot}.${sent}\ndata: ${JSON.stringify(message)}\n\n`));
    };
    const leave = (): void => {
      clearInterval(keepalive);
      if (!this.tellers.delete(tell)) return;
      view.watchers -= 1;
      view.leftAt = this.clock();
      if (this.tellers.size === 0) this.watching(false);
    };
    return new ReadableStream<Uint8Array>(
      {
        start: (given) => {
          controller = given;
          view.watchers += 1;
          this.tellers.add(tell);
          if (this.tellers.size === 1) this.watching(true);
          keepalive = setInterval(() => {
            if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(": \n\n"));
          }, KEEPALIVE_MS);
          controller.enqueue(encoder.encode("retry: 500\n\n"));
          tell();
        },
        pull: tell,
        cancel: leave,
      },
      { highWaterMark: 4 },
    );
  }

  close(): void {
    clearTimeout(this.pending);
    this.pending = undefined;
    this.views.clear();
  }
}
