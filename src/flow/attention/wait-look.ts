/** One look of a wait: all that is so of its targets, and how far the rows go in that same moment. */
import type { Context } from "../../context.ts";
import { agentOf } from "../../core/agent/agents.ts";
import { markOf } from "../../core/attention/cursor.ts";
import type { Draft } from "../../core/attention/item.ts";
import { taskDrafts } from "../../core/attention/items.ts";
import { type Look, OF_ROWS, type Reason, type Sighting } from "../../core/attention/reason.ts";
import {
  doneSighting,
  messageKey,
  messageSightings,
  sideSightings,
  stalledSighting,
  troubleSightings,
  type TurnEnd,
  type UnreadMessage,
  type WaitedSide,
  type Whose,
} from "../../core/attention/sightings.ts";
import { STALLED_AFTER_SECONDS } from "../../core/attention/situation.ts";
import { isObject, parseStored } from "../../core/json.ts";
import type { Session } from "../../core/sessions/session.ts";
import { turnSign } from "../../core/sessions/worker-state.ts";
import type { Task } from "../../core/tasks/task.ts";
import { instant } from "../../core/time.ts";
import { limitedUntil } from "../../store/attention/limits.ts";
import { sideFacts, taskFacts } from "../../store/attention/tasks.ts";
import { dismissedOf } from "../../store/attention/dismissals.ts";
import { uncertainOf, uncertainTo } from "../../store/attention/troubles.ts";
import { comingTo, firstLine, marksNow, unreadOf } from "../../store/attention/waits.ts";
import { turnEndsAfter } from "../../store/observe/codex-events.ts";
import { snapshot } from "../../store/reading.ts";
import type { Store } from "../../store/store.ts";
import { machineOf } from "../../system/agent/agents.ts";
import { otherTasksOf } from "../../store/sessions/bindings.ts";
import { sessionById } from "../../store/sessions/sessions.ts";
import { sizeOnDisk } from "../../system/files/rollout-reader.ts";
import { recordsWords } from "../reach/next-command.ts";
import { writerSigns } from "../reach/writer.ts";
import type { Scene } from "../scene.ts";
import { type Sign, sideState, UNSEEN } from "./side.ts";
import { situationOf } from "./situation.ts";
import type { Shown } from "./wait-panes.ts";
import { isOver, type Target } from "./wait-targets.ts";

/** What a wait has besides the rows. */
export interface Senses {
  /** What the terminal of a session shows; null: not looked at. */
  shown(sessionId: string): Shown | null;
}

export interface LookOptions {
  /** As {@link databaseMark} gives it. */
  readonly database: string;
  readonly reasons: readonly Reason[];
  /** The newest record that who waits was shown; null: ends of turns that are over do not count. */
  readonly record: number | null;
}

export interface WaitLook extends Look {
  readonly targets: readonly Target[];
  /** When, in milliseconds since the epoch, time alone may make something so; infinite: never. */
  readonly due: number;
}

/** Which database the numbers are of: the first line of its log is in no other. */
export const databaseMark = (store: Store): string => markOf(firstLine(store) ?? "");

/**
 * What is said to an agent just as it comes to rest is written a moment before it says that it rests, and that it works a moment later
 * (Claude Code 2.1.332, after `/clear`): a rest this young does not tell that the turn which stands open was broken off.
 */
const YOUNG_MS = 1500;

/** When a rest that its agent has just told of is old enough to count; null: it is, or there is none. */
const ripens = ({ restsSince }: Sign, nowMs: number): number | null =>
  restsSince !== null && restsSince + YOUNG_MS > nowMs ? restsSince + YOUNG_MS : null;

/** What the machine shows of a session, looked at once in a look. */
type Signs = (session: Session) => Sign;

function signOf(session: Session, shown: Shown | null): Sign {
  const terminal = shown === null ? null : { running: shown.running, reason: null, width: 0, height: 0, attached: 0 };
  return { ...UNSEEN, ...writerSigns(session), terminal, page: shown?.page ?? null, dialog: shown?.asks ? shown.dialog : null };
}

/** Nothing is written of it, or its agent itself says that it rests. */
function isUntouched(session: Session, sign: Sign): boolean {
  const { codex_session_path: path, codex_session_id: thread } = session;
  const machine = machineOf(agentOf(session));
  if (machine.list !== null) return sign.restsSince !== null;
  return path !== null && sizeOnDisk(machine.newestTranscript(path, thread)) === null;
}

/** Those whose turns, screens and processes tell of a target. */
export const sessionsOf = ({ session, worker, manager }: Target): Session[] => [session, worker, manager].filter((each) => each !== null);

/** Has a terminal on record that can be looked at. */
const inTerminal = ({ tmux_session: name, state }: Session): boolean => Boolean(name) && state === "active";

const SIGNS = { completed: "completed", failed: "failed", aborted: "aborted", open: null } as const;

function waitedSide(
  cx: Context,
  store: Store,
  session: Session,
  { shown, sign: seen }: { shown: Shown | null; sign: Sign },
  record: number | null,
): { side: WaitedSide; due: number | null } {
  const nowMs = cx.nowMs();
  const due = ripens(seen, nowMs);
  const sign = due === null ? seen : { ...seen, restsSince: null };
  const ends = (record === null ? [] : turnEndsAfter(store, session.id, record)).flatMap((event): TurnEnd[] => {
    const said = turnSign(event);
    const turn = said === null ? null : SIGNS[said];
    return turn === null ? [] : [{ id: event.id, timestamp: event.timestamp, turn, turn_error: event.turn_error }];
  });
  const state = sideState(cx, sideFacts(store, session), sign, nowMs);
  const side = {
    ...state,
    ends,
    untouched: state.turn === "none" && isUntouched(session, sign),
    limit: limitedUntil(store, session, nowMs),
    asksByRow: session.codex_session_id !== null && (session.socket !== null || (shown?.dialog != null && shown.dialog.kind !== "other")),
  };
  return { side, due };
}

/** @param task whose messages are meant; those of another that the session leads are not. Null: all */
function unread(store: Store, sessionId: string, task: Task | null): UnreadMessage[] {
  const others = task === null ? [] : otherTasksOf(store, sessionId, task.id);
  const own = unreadOf(store, sessionId).filter(({ task_id }) => !others.includes(task_id));
  return own.map(({ payload_json, task_id: _, ...row }) => {
    const payload = parseStored<unknown>(payload_json, {});
    const words = isObject(payload) ? payload.message : null;
    return { ...row, words: typeof words === "string" ? words : null };
  });
}

/** That both sides of a task rest, and since when, whether for long enough or not; null: they do not. */
function resting({ cx, store }: Scene, task: Task, signs: Signs): Draft | null {
  const sign = (id: string): Sign => signs(sessionById(store, id)!);
  const situation = situationOf(cx, taskFacts(store, task), { sign, staleProofs: () => 0, dispatches: () => true });
  const drafts = taskDrafts({ ...situation, dismissed: [] }, { nowMs: cx.nowMs(), stalledAfterSeconds: 0 });
  return drafts.find(({ kind }) => kind === "stalled") ?? null;
}

/** Which reasons of a side of a task count: its worker's turns, its manager's messages, and of both whatever stops the work. */
const OF_SIDE: Readonly<Record<"worker" | "manager", ReadonlySet<Reason>>> = {
  worker: new Set(["idle", "question", "limit", "failed", "crashed", "gone"]),
  manager: new Set(["question", "limit", "failed", "crashed", "gone", "message"]),
};
const OF_SESSION: ReadonlySet<Reason> = new Set([...OF_SIDE.worker, ...OF_SIDE.manager]);

/** Looks at everything that the reasons ask for. Nothing is written. */
export function lookForWait(scene: Scene, targetsNow: () => Target[], senses: Senses, options: LookOptions): WaitLook {
  const { cx, store } = scene;
  const asked = new Set(options.reasons);
  const coming: string[] = [];
  const known = new Map<string, Sign>();
  const signs: Signs = (session) => {
    const sign = known.get(session.id) ?? signOf(session, senses.shown(session.id));
    known.set(session.id, sign);
    return sign;
  };
  /** Nothing is told by a rest that may not be one. */
  let settled = true;
  let due = Number.POSITIVE_INFINITY;
  const dueAt = (at: number | null): void => void (due = Math.min(due, at ?? due));

  const ofSession = (whose: Whose, session: Session, counts: ReadonlySet<Reason>, task: Task | null = null): Sighting[] => {
    const wanted = (reason: Reason): boolean => asked.has(reason) && counts.has(reason);
    const found: Sighting[] = [];
    if ([...counts].some((reason) => wanted(reason) && !OF_ROWS.has(reason))) {
      const { side, due } = waitedSide(cx, store, session, { shown: senses.shown(session.id), sign: signs(session) }, options.record);
      dueAt(due);
      settled &&= due === null;
      found.push(...sideSightings(whose, side, recordsWords(cx, store)).filter(({ reason }) => wanted(reason)));
    }
    if (wanted("message")) {
      found.push(...messageSightings(whose, session.name, unread(store, session.id, task)));
      coming.push(...comingTo(store, session.id).map(messageKey));
    }
    return found;
  };

  const stalled = (whose: Whose, task: Task): Sighting[] => {
    const rests = resting(scene, task, signs);
    const since = instant(rests?.since);
    if (rests === null || since === null) return [];
    const at = since + STALLED_AFTER_SECONDS * 1000;
    if (cx.nowMs() > at) return [stalledSighting(whose, task.id, rests)];
    dueAt(at + 1);
    return [];
  };

  const ofTarget = (target: Target): Sighting[] => {
    const { label, task, session, worker, manager } = target;
    const whose = { target: label, task: task?.name ?? null };
    const over = task !== null && (task.state === "done" || task.state === "failed");
    const found: Sighting[] = over && asked.has("done") ? [doneSighting(whose, task)] : [];
    if (session !== null) {
      found.push(...ofSession(whose, session, OF_SESSION));
      if (asked.has("uncertain")) found.push(...troubleSightings(whose, session.name, uncertainTo(store, session.id)));
    } else if (!over) {
      if (worker !== null) found.push(...ofSession(whose, worker, OF_SIDE.worker));
      if (manager !== null) found.push(...ofSession(whose, manager, OF_SIDE.manager, task));
      if (asked.has("uncertain")) {
        const away = dismissedOf(store, task!.id);
        found.push(
          ...troubleSightings(whose, null, uncertainOf(store, task!.id)).filter(({ details }) => !away.includes(details.id as string)),
        );
      }
    }
    if (asked.has("stalled") && task !== null && !over) found.push(...stalled(whose, task));
    return found;
  };

  return snapshot(store, () => {
    const targets = targetsNow().filter((target) => !isOver(target) || asked.has("done"));
    const sightings = targets.flatMap(ofTarget);
    const marks = { database: options.database, ...marksNow(store) };
    const sessions = targets.flatMap(sessionsOf);
    const seen = !asked.has("question") || sessions.every((each) => !inTerminal(each) || senses.shown(each.id) !== null);
    return { targets, sightings, marks, coming, whole: seen && settled, due };
  });
}
