/**
 * What is for a manager that can prove what it takes: told at once when it rests, and all that came while it worked as one message at its
 * next rest. Never more than one such message is under way.
 */
import type { Holder } from "../../core/dispatch/holder.ts";
import type { CommandType } from "../../core/dispatch/queued-command.ts";
import { instant } from "../../core/time.ts";
import { inferState } from "../../core/sessions/worker-state.ts";
import type { Session } from "../../core/sessions/session.ts";
import { targetOfCommand } from "../../store/attention/parked.ts";
import { claimableCommands } from "../../store/dispatch/command-queue.ts";
import { addDigest, isInHand } from "../../store/dispatch/digests.ts";
import { notificationById } from "../../store/dispatch/notifications.ts";
import { newestTurnEvent } from "../../store/observe/codex-events.ts";
import { managersToTell } from "../../store/sessions/bindings.ts";
import { sessionById } from "../../store/sessions/sessions.ts";
import { type Store, tx } from "../../store/store.ts";
import { readAhead } from "../observe/ingest.ts";
import { unread } from "../observe/unread.ts";
import { recipientOf, threadLock } from "../reach/recipient.ts";
import { writerSigns } from "../reach/writer.ts";
import type { Scene } from "../scene.ts";
import { nextCommand } from "./commands.ts";
import { dueTurns, nextWaiting } from "./completions.ts";
import { saidOf } from "./digest-text.ts";
import { type Item, NOT_NOW, type PassMemory, type PassScene, restingSessions, type Sending, type Step } from "./items.ts";
import { modeOf } from "./mode.ts";

/** What is said at once; the rest comes at the next rest. */
const MOST_MESSAGES = 100;
const MOST_SIGNS = 60_000;

/** Whether what this manager takes can be seen in its record, so that one message may stand for many. */
const isProvable = (store: Store, manager: Session): boolean =>
  manager.state === "active" &&
  modeOf(store, manager) === "push" &&
  (manager.socket !== null || threadLock(recipientOf(manager))?.held === true);

/** The managers that are told of what came as one message: also of what still waits for one that leads nobody any more. */
export const gatheringManagers = (store: Store): Session[] => managersToTell(store).filter((manager) => isProvable(store, manager));

/**
 * Whether a turn of the session runs. That one ended is stored as soon as its record grows by it; that one began, as by what was said just
 * now, is looked for here, and only where there is something to read: what is stored wakes all who watch these records.
 */
function works({ cx, store }: Scene, session: Session): boolean {
  const isOpen = (now: Session): boolean => inferState(newestTurnEvent(store, now.id), null, writerSigns(now), cx.nowMs()).turn === "open";
  const stored = sessionById(store, session.id)!;
  if (isOpen(stored)) return true;
  if (unread(stored) === null) return false;
  readAhead(cx, store, session.id);
  return isOpen(sessionById(store, session.id)!);
}

/** Which kinds of work are wanted, and to whom nothing can be said now. */
export interface Wanted {
  readonly types: readonly CommandType[];
  readonly turns: boolean;
  readonly busy: readonly string[];
}

/** Those of these managers that rest, can be told, and have something to be told of. */
export function dueManagers(
  scene: Scene,
  managers: readonly Session[],
  { types, turns, busy }: Wanted,
  gone: readonly Holder[],
  memory: PassMemory,
): Session[] {
  const { store } = scene;
  const resting = restingSessions(scene, memory);
  const free = managers.filter(({ id }) => !busy.includes(id) && !resting.includes(id));
  if (free.length === 0) return [];
  const mine = types.filter((type) => type === "notify_manager");
  const due = new Set([
    ...(turns ? dueTurns(scene, gone, { busy }, memory).map(({ target_session_id: id }) => id) : []),
    ...claimableCommands(store, mine, -1).map((command) => targetOfCommand(store, command)?.id),
  ]);
  return free.filter((manager) => due.has(manager.id) && !isInHand(store, manager.id, gone) && !works(scene, manager));
}

/** Takes up all that waits for a manager: what is done already, and what is to be sent, as one. */
export function gather(
  scene: PassScene,
  manager: Session,
  { types, turns }: Wanted,
  gone: readonly Holder[],
  memory: PassMemory,
): { readonly items: Item[]; readonly sending: Sending | null } {
  const { store } = scene;
  const whom = { busy: [], only: manager.id };
  return tx(store, () => {
    const items: Item[] = [];
    const sendings: Sending[] = [];
    // Another dispatcher may have been first.
    if (isInHand(store, manager.id, gone)) return { items, sending: null };
    const room = (): boolean => sendings.length < MOST_MESSAGES && sendings.reduce((sum, { text }) => sum + text.length, 0) < MOST_SIGNS;
    const takeUp = (next: () => Step | null): void => {
      for (let step = room() ? next() : null; step !== null; step = room() ? next() : null)
        if ("item" in step) items.push(step.item);
        else sendings.push(step.sending);
    };
    if (types.includes("notify_manager")) takeUp(() => nextCommand(scene, ["notify_manager"], whom, memory));
    if (turns) takeUp(() => nextWaiting(scene, gone, whom, memory));
    return { items, sending: sendings.length === 0 ? null : together(scene, manager, sendings) };
  });
}

/** Several sendings as one, with one fate: begun in one transaction, and ended in one. None is begun once its manager works again. */
function together(scene: PassScene, manager: Session, found: readonly Sending[]): Sending {
  const { store } = scene;
  // What somebody wrote comes first, then the turns as they ended.
  const parts = found
    .map((sending) => ({ sending, row: notificationById(store, sending.notificationId!)! }))
    .sort((a, b) => (instant(a.row.source_event_timestamp) ?? 0) - (instant(b.row.source_event_timestamp) ?? 0));
  const sendings = parts.map(({ sending }) => sending);
  const ids = parts.map(({ row }) => row.id);
  const text = saidOf(
    store,
    parts.map(({ row }) => row),
  );
  let digest: string | null = null;
  let refused: string | null = null;
  return {
    ...sendings[0]!,
    text,
    begin(deliveryId) {
      const lost = sendings.some((each) => !each.extend());
      if (lost) refused = "another dispatcher has taken over a part of it";
      else if (works(scene, manager)) refused = `${manager.name} works again`;
      if (refused !== null) return false;
      for (const each of sendings) each.begin(deliveryId);
      digest = deliveryId;
      if (ids.length > 1) addDigest(store, deliveryId, ids.slice(1));
      return true;
    },
    extend: () => tx(store, () => sendings.map((each) => each.extend()).every(Boolean)),
    finish(given, write) {
      const verdict =
        refused === null || given.started
          ? given
          : { ...given, later: true as const, error: `nothing was said: ${refused}`, errorType: NOT_NOW };
      const more: Item = ids.length > 1 ? { digest_id: digest, digest_size: ids.length } : {};
      // What was sent is written last: until then it tells how each of them stands.
      const last = sendings.length - 1;
      return tx(store, () => sendings.flatMap((each, index) => each.finish(verdict, index === last ? write : () => {}, more)));
    },
  };
}
