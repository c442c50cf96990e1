/** Dispatch that stays: woken by commits and by the rollouts of bound workers, with the interval as its longest sleep. */
import { addDispatcher, type DispatcherKey, endDispatcher, isAskedToStop, recordBeat } from "../../store/dispatch/dispatchers.ts";
import { requirePlace } from "../../store/place.ts";
import { Bell } from "../../system/files/bell.ts";
import { thisHolder } from "../../system/processes/holder.ts";
import { thisHost, thisProcess } from "../../system/processes/this-process.ts";
import { NoticeWatch } from "../attention/notice-watch.ts";
import { watchCommits } from "../commits.ts";
import { gatheringOf, lateProofs, nextByClock, type PassOptions, pass, routeWaiting, workWaits } from "./dispatch.ts";
import { ErrandWatch } from "./errands.ts";
import { type Item, newMemory, type PassScene } from "./items.ts";
import { clearBuffers, inTurn, Lanes } from "./send.ts";
import { Troubles } from "../troubles.ts";
import { deadRows } from "../reach/dispatchers.ts";
import { UntilUnbound } from "./until-unbound.ts";
import { watchRollouts } from "../observe/rollout-watch.ts";
import { watchServed } from "../observe/served-watch.ts";
import type { Scene } from "../scene.ts";

export interface WatchOptions extends PassOptions {
  readonly intervalSeconds: number;
  /** Stop after this many passes. */
  readonly iterations: number | undefined;
  /** Not when a watch of this name that carries messages runs already. */
  readonly unlessRunning?: boolean;
  /** Stop when nobody has been bound for so long; null: go on. */
  readonly untilUnboundSeconds: number | null;
}

/** What a watch tells while it runs. */
export interface Listener {
  done(item: Item): void;
  problem(message: string): void;
}

/** Asked by a signal: the item at hand is finished, then the watch ends. */
export interface Stop {
  readonly asked: boolean;
  /** Called when it is asked. */
  listen(listener: () => void): void;
}

/** A pass every 0 seconds would be a busy loop. */
const SHORTEST_SLEEP_MS = 10;
/** So many heartbeats are added before an idle watch moves its last one on; whoever looks for a live dispatcher reads as many. */
const ADDED_BEATS = 25;
/** From then on it moves it only when it would otherwise be older than this at the next pass: a heartbeat of ten seconds counts as old. */
const OLDEST_BEAT_MS = 9500;
/** While something is said, as much time is left to that as a look for work takes, at most this. */
const LONGEST_PAUSE_MS = 100;

/**
 * Watches until stopped or done, and gives the number of passes; null: another of this name runs, and this one was not wanted then. A pass
 * that fails is told and does not end the watch.
 * @throws Failure when the database no longer stands at its path: what is queued there would wait for ever
 */
export async function watchDispatch({ cx, store }: Scene, given: WatchOptions, stop: Stop, listener: Listener): Promise<number | null> {
  const options = { ...given, foldEarlier: true, holder: given.dryRun ? null : await thisHolder(cx.env) };
  const scene: PassScene = { cx, store, claimant: options };
  const bell = new Bell();
  stop.listen(() => bell.ring());
  const memory = newMemory();
  const troubles = new Troubles(listener.problem, () => performance.now());
  const key = await enlist(scene, options);
  if (key === null) return null;
  const { untilUnboundSeconds: seconds } = options;
  const unbound = seconds === null ? null : new UntilUnbound(store, key, seconds * 1000, () => bell.ring());
  // A rule of a person's may be for what this kind of Dispatch does not carry, too.
  const notices = options.dryRun ? null : new NoticeWatch({ cx, store }, listener.problem);
  const heard = (): void => {
    bell.ring();
    notices?.ring();
  };
  const commits = watchCommits(store, heard);
  const rollouts = options.dryRun
    ? null
    : watchRollouts(
        cx,
        store,
        heard,
        (message, what) => troubles.tell(what, message),
        (what) => troubles.over(what),
      );
  const hears = (message: string): void => troubles.tell("what servers tell", message);
  const served = options.dryRun ? null : watchServed(cx, store, heard, hears);
  const errands = options.dryRun ? null : new ErrandWatch({ cx, store }, listener.problem);
  const sleepMs = Math.max(SHORTEST_SLEEP_MS, options.intervalSeconds * 1000);
  let iteration = 0;
  let processed = 0;
  let processedTotal = 0;
  let idleBeat: string | null = null;
  let beatAt = 0;
  let turnsFirst = false;
  /** How long the last look for work took. */
  let lookedMs = 0;

  const done = (item: Item): void => {
    processed++;
    processedTotal++;
    listener.done(item);
  };
  const lanes = new Lanes(scene, { done, problem: listener.problem, free: () => bell.ring() });
  // Who counts passes expects of each that it is over when it ends.
  const carrier = options.iterations === undefined ? lanes : inTurn(scene, done);

  /** Gives how much was done or handed over. */
  const onePass = async (backstop: boolean): Promise<number> => {
    let error: string | null = null;
    let moved = 0;
    try {
      served?.follow();
      errands?.follow(true);
      rollouts?.follow();
      rollouts?.ingest(backstop);
      moved = await pass(scene, options, { done, stopped: () => over(), carrier, turnsFirst, memory });
    } catch (failure) {
      error = (failure as Error).message;
      troubles.tell("a pass", `pass ${iteration + 1} failed: ${error}`);
    }
    if (error === null) troubles.over("a pass");
    iteration++;
    const moves = processed === 0 && error === null && iteration > ADDED_BEATS ? idleBeat : null;
    if (moves !== null && performance.now() - beatAt + sleepMs < OLDEST_BEAT_MS) return moved;
    try {
      const beat = recordBeat(store, key, { iteration, processed, processedTotal, dryRun: options.dryRun, error, moves });
      beatAt = performance.now();
      idleBeat = processed === 0 ? beat : null;
      processed = 0;
      troubles.over("the heartbeat");
    } catch (failure) {
      troubles.tell("the heartbeat", `the heartbeat could not be recorded: ${(failure as Error).message}`);
    }
    return moved;
  };

  /** Whether a ring meant work; what could not be found out is left to the backstop. */
  const work = (): boolean => {
    if (options.dryRun) return false;
    const begun = performance.now();
    try {
      errands?.follow(false);
      rollouts?.follow();
      rollouts?.ingest(false);
      const gathering = gatheringOf(store, options);
      for (const item of [...lateProofs(scene, options), ...routeWaiting(scene, options, memory, gathering)]) done(item);
      const waits = workWaits(scene, options, memory, { busy: carrier.busy(), gathering });
      troubles.over("looking for work");
      return waits;
    } catch (failure) {
      troubles.tell("looking for work", `could not look for work: ${(failure as Error).message}`);
      return false;
    } finally {
      lookedMs = performance.now() - begun;
    }
  };

  /** When a limit is over, and what waits for that can go on; a pass is never due at once, since one has just been made. */
  const dueByClock = (): number => {
    if (options.dryRun) return Number.POSITIVE_INFINITY;
    try {
      const at = nextByClock(scene, options, memory, carrier.busy());
      return at === null ? Number.POSITIVE_INFINITY : performance.now() + Math.max(SHORTEST_SLEEP_MS, at - cx.nowMs());
    } catch (failure) {
      troubles.tell("looking for work", `could not look for work: ${(failure as Error).message}`);
      return Number.POSITIVE_INFINITY;
    }
  };

  let lost = false;
  const here = (): void => {
    lost = true;
    requirePlace(store);
    lost = false;
  };

  let told = false;
  /** Whether to end: asked by a signal or by a row, or because nobody is bound any more. */
  const over = (): boolean => {
    if (stop.asked || told || unbound?.isOver) return true;
    try {
      unbound?.look();
      told = isAskedToStop(store, key);
    } catch {
      // What is wrong with the records the pass tells.
    }
    return told;
  };

  if (!options.dryRun) await clearBuffers(cx);
  try {
    for (let backstop = true; !over();) {
      here();
      const moved = await onePass(backstop);
      if (over() || (options.iterations !== undefined && iteration >= options.iterations)) break;
      backstop = false;
      // A full pass may have left something: the next begins at once, and completions get their turn first every other time.
      turnsFirst = moved >= options.limit && !turnsFirst;
      if (moved >= options.limit && !options.dryRun) continue;
      const deadline = performance.now() + sleepMs;
      for (;;) {
        const due = Math.min(deadline, dueByClock());
        const rung = await bell.wait(due - performance.now());
        // Many that end turns at once must not keep it from what it is just saying.
        if (rung && carrier.busy().length > 0) await Bun.sleep(Math.min(lookedMs, LONGEST_PAUSE_MS));
        here();
        if (over() || (rung && work())) break;
        backstop = performance.now() >= deadline;
        if (backstop || performance.now() >= due) break;
      }
    }
  } finally {
    await Promise.all([lanes.close(), notices?.close(), errands?.close()]);
    unbound?.close();
    commits.close();
    rollouts?.close();
    served?.close();
    // In a file that is gone nobody would read it.
    try {
      if (!lost) endDispatcher(store, key, { iteration, processedTotal });
    } catch (failure) {
      listener.problem(`the end could not be recorded: ${(failure as Error).message}`);
    }
  }
  return iteration;
}

/** Puts this watch on record and forgets dead ones of the same name; null: it is not wanted where another of this name is, and one is. */
async function enlist({ cx, store }: Scene, options: WatchOptions): Promise<DispatcherKey | null> {
  const { pid, started } = await thisProcess(cx.env);
  const key = { dispatcher_id: options.dispatcherId, host: thisHost(), pid };
  const dead = await deadRows(cx, store, options.dispatcherId);
  const added = addDispatcher(
    store,
    {
      ...key,
      process_started_at: started,
      dry_run: Number(options.dryRun),
      only_type: options.only ?? null,
      interval_seconds: options.intervalSeconds,
    },
    dead,
    options.unlessRunning === true,
  );
  return added ? key : null;
}
