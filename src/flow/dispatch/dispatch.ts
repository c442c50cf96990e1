/** One pass of Dispatch: commands, then completions, within one limit. */
import { COMPLETION, type SignalType } from "../../core/dispatch/queued-command.ts";
import { someLost } from "../../store/deliveries.ts";
import { nextRelease, releaseParked } from "../../store/attention/parked.ts";
import { hasClaimable } from "../../store/dispatch/command-queue.ts";
import type { Session } from "../../core/sessions/session.ts";
import type { Store } from "../../store/store.ts";
import type { Claimant } from "../../store/dispatch/lease.ts";
import { commandTypes, nextCommand, plannedCommands } from "./commands.ts";
import { nextTurn, nextWaiting, plannedTurns, routeAll, turnWaits } from "./completions.ts";
import { dueManagers, gather, gatheringManagers } from "./digest.ts";
import { type Item, type PassMemory, type PassScene, restingSessions, type Step } from "./items.ts";
import { goneHolders, kindsOf, recoverCommands, recoverLost, recoverTurns, settleLate } from "./recover.ts";
import { loseDeadResumes, nextResume, nextResumeAt, resumeWaits } from "./resume.ts";
import type { Carrier } from "./send.ts";
import type { Scene } from "../scene.ts";

export interface PassOptions extends Claimant {
  /** Only this kind of work. */
  readonly only: SignalType | undefined;
  /** How many items at most. */
  readonly limit: number;
  readonly dryRun: boolean;
  /** Of the turns that ended before a binding only the newest is told of; else every stored turn is. */
  readonly foldEarlier?: boolean;
  /** What came while a manager worked is told as one message when it rests; else each by itself, and at once. */
  readonly digests?: boolean;
  /** How long after its limit is over a turn that died of it is gone on with, in milliseconds; absent: never. */
  readonly resumeAfterMs?: number | undefined;
}

export interface Pass {
  /** Told of every item that the pass itself did, as soon as it is done; sendings tell their own. */
  done(item: Item): void;
  /** Whether to end after the item at hand. */
  stopped(): boolean;
  readonly carrier: Carrier;
  /** Begin with completions, up to half of the limit: the pass before left none of it to them. */
  readonly turnsFirst: boolean;
  readonly memory: PassMemory;
}

const wantsTurns = (only: SignalType | undefined): boolean => only === undefined || only === COMPLETION;

/** To whom nothing can be said now, and the managers that are told of what came as one message (see {@link gatheringOf}). */
interface Managers {
  readonly busy: readonly string[];
  readonly gathering: readonly Session[];
}

/** Whether there is something to do right now, besides what only time brings about. */
export function workWaits(scene: Scene, options: PassOptions, memory: PassMemory, { busy, gathering }: Managers): boolean {
  const { store } = scene;
  const { only, resumeAfterMs } = options;
  const ids = gathering.map(({ id }) => id);
  const wanted = { types: commandTypes(only), turns: wantsTurns(only), busy };
  return (
    releaseParked(store) ||
    (resumeAfterMs !== undefined && resumeWaits(scene, resumeAfterMs, memory)) ||
    hasClaimable(store, wanted.types, { busy: [...busy, ...ids, ...restingSessions(scene, memory)] }) ||
    someLost(store) ||
    // Turns for those that gather are routed also while they are being sent to.
    (wanted.turns &&
      turnWaits(
        store,
        memory,
        busy.filter((id) => !ids.includes(id)),
      )) ||
    dueManagers(scene, gathering, wanted, [], memory).length > 0
  );
}

/** The managers that are told of what came as one message; none where that is not wanted. */
export const gatheringOf = (store: Store, { digests }: PassOptions): Session[] => (digests ? gatheringManagers(store) : []);

/** When the clock alone brings something to do, in milliseconds since the epoch; null: it does not. */
export function nextByClock(
  { cx, store }: Scene,
  { resumeAfterMs }: PassOptions,
  memory: PassMemory,
  busy: readonly string[],
): number | null {
  const times = [nextRelease(store), resumeAfterMs === undefined ? null : nextResumeAt({ cx, store }, resumeAfterMs, busy, memory)];
  const known = times.filter((time): time is number => time !== null);
  return known.length === 0 ? null : Math.min(...known);
}

/**
 * Puts ended turns on record that wait until their managers can be told: nothing more is to be done for them until then. Gives what is
 * to be told already.
 */
export function routeWaiting(
  { cx, store }: Scene,
  options: PassOptions,
  memory: PassMemory,
  gathering: readonly Session[],
): readonly Item[] {
  const ids = gathering.map(({ id }) => id);
  if (!wantsTurns(options.only) || ids.length === 0 || !turnWaits(store, memory, [])) return [];
  return routeAll({ cx, store, claimant: options }, ids, memory, options.foldEarlier === true);
}

/** Takes in proofs that came late; gives the messages of these kinds that have arrived. */
export const lateProofs = (scene: Scene, options: PassOptions): Item[] =>
  settleLate({ ...scene, claimant: options }, kindsOf(commandTypes(options.only), wantsTurns(options.only)));

/** Does one pass. A failed delivery is an item, not an error; gives how many things were done or handed over to be sent. */
export async function pass(
  { cx, store }: Scene,
  options: PassOptions,
  { done, stopped, carrier, turnsFirst, memory }: Pass,
): Promise<number> {
  const { limit, only } = options;
  const scene: PassScene = { cx, store, claimant: options };
  const types = commandTypes(only);
  let count = 0;
  const take = (items: readonly Item[]): void => {
    for (const item of items) done(item);
    count += items.length;
  };
  if (options.dryRun) {
    if (types.length > 0) take(plannedCommands(store, types, limit));
    if (wantsTurns(only) && count < limit) take(plannedTurns(store, limit - count, options.foldEarlier === true));
    return count;
  }
  const gone = await goneHolders(scene);
  releaseParked(store);
  take(lateProofs(scene, options));
  take(await loseDeadResumes(scene));
  await recoverLost(scene, kindsOf(types, wantsTurns(only)), carrier, memory);
  const room = (most: number): number => (stopped() ? 0 : most - count);
  const all = async (most: number, next: () => Step | null): Promise<void> => {
    while (room(most) > 0) {
      const step = next();
      if (!step) return;
      if ("item" in step) done(step.item);
      else await carrier.send(step.sending);
      count++;
    }
  };
  // To those that gather all goes this way, and no other.
  const gathering = gatheringOf(store, options);
  const busy = (): readonly string[] => [...carrier.busy(), ...gathering.map(({ id }) => id)];
  const digests = async (): Promise<void> => {
    take(routeWaiting(scene, options, memory, gathering));
    const turns = wantsTurns(only);
    const wanted = { types, turns, busy: carrier.busy() };
    for (const manager of dueManagers(scene, gathering, wanted, gone, memory)) {
      if (room(limit) === 0) return;
      const { items, sending } = gather(scene, manager, wanted, gone, memory);
      take(items);
      if (sending === null) continue;
      await carrier.send(sending);
      count++;
    }
  };
  const commands = async (most: number): Promise<void> => {
    if (types.length === 0) return;
    if (room(most) > 0) take(await recoverCommands(scene, types, gone, room(most)));
    await all(most, () => nextCommand(scene, types, { busy: busy() }, memory));
  };
  const turns = async (most: number): Promise<void> => {
    if (!wantsTurns(only)) return;
    if (room(most) > 0) take(await recoverTurns(scene, gone, room(most)));
    await all(most, () => nextWaiting(scene, gone, { busy: busy() }, memory));
    await all(most, () => nextTurn(scene, busy(), memory, options.foldEarlier === true));
  };
  const resumes = async (): Promise<void> => {
    const { resumeAfterMs } = options;
    if (resumeAfterMs === undefined) return;
    while (room(limit) > 0) {
      const sending = nextResume(scene, resumeAfterMs, carrier.busy(), memory);
      if (sending === null) return;
      await carrier.send(sending);
      count++;
    }
  };
  await digests();
  if (turnsFirst) await turns(Math.ceil(limit / 2));
  await commands(limit);
  await turns(limit);
  await resumes();
  return count;
}
