/**
 * Everything that needs a person, told again whenever it changes: woken by what wakes a wait, and by the end of a Dispatch. A look without
 * any of them comes seldom, for what tells nobody, as a file that is edited under a proof.
 */
import type { Item } from "../../core/attention/item.ts";
import { REASONS } from "../../core/attention/reason.ts";
import { compactJson } from "../../core/json.ts";
import { type DispatcherRow, listDispatchers } from "../../store/dispatch/dispatchers.ts";
import { requirePlace } from "../../store/place.ts";
import { Bell } from "../../system/files/bell.ts";
import { type EndWatch, watchEnd } from "../../system/processes/process-end.ts";
import { alive } from "../../system/processes/processes.ts";
import { thisHost } from "../../system/processes/this-process.ts";
import type { Scene } from "../scene.ts";
import { Troubles } from "../troubles.ts";
import { type Attention, attend, attended, tell } from "./attend.ts";
import type { Look } from "./look.ts";
import { watchForWait } from "./wait-watch.ts";

/** What happens at once is told once. */
const SETTLE_MS = 25;
const SELDOM_MS = 30_000;

/** Rings when a Dispatch of this machine dies, which writes nothing then. */
class DispatchEnds {
  private readonly watches = new Map<number, EndWatch>();

  constructor(private readonly ended: () => void) {}

  follow(rows: readonly DispatcherRow[]): void {
    const wanted = new Set(rows.filter(({ host, ended_at }) => ended_at === null && host === thisHost()).map(({ pid }) => pid));
    for (const [pid, watch] of this.watches) {
      if (wanted.has(pid)) continue;
      watch.close();
      this.watches.delete(pid);
    }
    for (const pid of wanted) if (!this.watches.has(pid)) this.watches.set(pid, watchEnd(pid, this.ended));
  }

  close(): void {
    this.follow([]);
  }
}

export interface AttentionWatch {
  readonly stalledAfterSeconds: number;
  /** Ends the watch. */
  readonly signal: AbortSignal;
  /** Told what there is now, and at each change. */
  show(told: Attention): void;
  /** Told what could not be looked at. */
  problem(message: string): void;
}

/**
 * Goes on until it is asked to end.
 * @throws Failure when the database no longer stands at its path
 */
export async function watchAttention(
  scene: Scene,
  look: Look,
  { stalledAfterSeconds, signal, show, problem: say }: AttentionWatch,
): Promise<void> {
  const { cx, store } = scene;
  const bell = new Bell();
  const ring = (): void => bell.ring();
  signal.addEventListener("abort", ring);
  const troubles = new Troubles(say, () => performance.now());
  const problem = (message: string): void => troubles.tell(message, message);
  const senses = watchForWait(scene, REASONS, { wake: ring, grew: ring, problem });
  const ends = new DispatchEnds(ring);

  /** What a look at the machine would find otherwise, as far as that is told without one. */
  const world = (): string => {
    const sessions = attended(store);
    const dispatchers = listDispatchers(store);
    senses.follow(sessions);
    ends.follow(dispatchers);
    return compactJson([
      sessions.map(({ id, pid, codex_session_id: thread }) => [id, thread, pid !== null && alive(pid), senses.shown(id)]),
      dispatchers.map(({ dispatcher_id, host, pid, ended_at }) => [dispatcher_id, host, pid, ended_at === null && alive(pid)]),
    ]);
  };

  let shown: readonly Item[] | null = null;
  let looked: string | null = null;
  try {
    while (!signal.aborted) {
      requirePlace(store);
      senses.ingest(looked === null);
      const now = world();
      const { told, nextMs } = now === looked ? tell(scene, look, stalledAfterSeconds) : await attend(scene, look, stalledAfterSeconds);
      looked = now;
      if (signal.aborted) break;
      if (shown === null || compactJson(shown) !== compactJson(told.items)) show(told);
      shown = told.items;
      const rung = await bell.wait(Math.min(SELDOM_MS, Math.max(1, (nextMs ?? Number.POSITIVE_INFINITY) - cx.nowMs() + 1)));
      if (!rung) looked = null;
      else if (!signal.aborted) await Bun.sleep(SETTLE_MS);
    }
  } finally {
    senses.close();
    ends.close();
    signal.removeEventListener("abort", ring);
  }
}
