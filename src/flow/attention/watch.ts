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
import { onStop, thisHost } from "../../system/processes/this-process.ts";
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

/**
 * Calls `show` with what there is now, and at each change, until the process is asked to end.
 * @throws Failure when the database no longer stands at its path
 */
export async function watchAttention(
  scene: Scene,
  look: Look,
  stalledAfterSeconds: number,
  show: (told: Attention) => void,
): Promise<void> {
  const { cx, store } = scene;
  const bell = new Bell();
  const ring = (): void => bell.ring();
  let stopped = false;
  const release = onStop(() => {
    stopped = true;
    ring();
  });
  const troubles = new Troubles(
    (message) => cx.err(`${cx.program} attention: ${message}`),
    () => performance.now(),
  );
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
    while (!stopped) {
      requirePlace(store);
      senses.ingest(looked === null);
      const now = world();
      const { told, nextMs } = now === looked ? tell(scene, look, stalledAfterSeconds) : await attend(scene, look, stalledAfterSeconds);
      looked = now;
      if (stopped) break;
      if (shown === null || compactJson(shown) !== compactJson(told.items)) show(told);
      shown = told.items;
      const rung = await bell.wait(Math.min(SELDOM_MS, Math.max(1, (nextMs ?? Number.POSITIVE_INFINITY) - cx.nowMs() + 1)));
      if (!rung) looked = null;
      else if (!stopped) await Bun.sleep(SETTLE_MS);
    }
  } finally {
    senses.close();
    ends.close();
    release();
  }
}
