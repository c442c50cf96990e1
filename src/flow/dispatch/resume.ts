/** Turns that died of a limit are gone on with when it is over, each once, if nobody else has, nobody is there, and the task goes on. */
import { heldBy } from "../../core/dispatch/holder.ts";
import type { Verdict } from "../../core/delivery/delivery.ts";
import {
  beginResume,
  claimedResumes,
  claimResume,
  dropResume,
  endResume,
  isStillNewest,
  loseResume,
  type Resumable,
  resumables,
} from "../../store/attention/resumes.ts";
import { reportSignal } from "../../store/dispatch/telemetry.ts";
import { addEvent } from "../../store/record/events.ts";
import { sessionById } from "../../store/sessions/sessions.ts";
import { type Store, tx } from "../../store/store.ts";
import { needTask } from "../../store/tasks/tasks.ts";
import { isGone } from "../../system/processes/holder.ts";
import { readAhead } from "../observe/ingest.ts";
import { isResting, type Item, type PassMemory, type PassScene, rest, type Sending, targetOf } from "./items.ts";
import { modeOf } from "./mode.ts";

/** What is said to it; as whose it is recorded, and told. */
const WORDS = "The limit is over. Go on where you stopped.";
const ORIGIN = "resume-limits";
const SIGNAL = "limit_resume";
const RESUMED = { type: "limit_resumed", actor: "dispatch" } as const;

const restKey = ({ session, eventId }: Resumable): string => `${SIGNAL} ${session.id} ${eventId}`;

/** Turns that may be gone on with: a session that asks its inbox by itself is not told. */
const pushable = (store: Store, afterMs: number): Resumable[] =>
  resumables(store, afterMs).filter(({ session }) => modeOf(store, session) === "push");

/** Turns that may be gone on with some time and are not being rested, the first due first. */
function candidates({ cx, store }: Pick<PassScene, "cx" | "store">, afterMs: number, memory: PassMemory): Resumable[] {
  return pushable(store, afterMs).filter((each) => !isResting(memory, restKey(each), each.session, cx.nowMs()));
}

/** Whether a turn is to be gone on with right now. */
export const resumeWaits = (scene: Pick<PassScene, "cx" | "store">, afterMs: number, memory: PassMemory): boolean =>
  candidates(scene, afterMs, memory).some(({ due }) => due <= scene.cx.nowMs());

/** When the next turn may be gone on with, in milliseconds since the epoch; null: none is known of but those of busy sessions. */
export function nextResumeAt(
  { cx, store }: Pick<PassScene, "cx" | "store">,
  afterMs: number,
  busy: readonly string[],
  memory: PassMemory,
): number | null {
  const free = pushable(store, afterMs).filter(({ session }) => !busy.includes(session.id));
  const times = free.map((each) => {
    const resting = isResting(memory, restKey(each), each.session, cx.nowMs()) ? memory.resting.get(restKey(each))!.until : 0;
    return Math.max(each.due, resting);
  });
  return times.length === 0 ? null : Math.min(...times);
}

/** Claims the next turn that is due and gives what is to be said; null when there is none. */
export function nextResume(scene: PassScene, afterMs: number, busy: readonly string[], memory: PassMemory): Sending | null {
  const { cx, store, claimant } = scene;
  for (const resumable of candidates(scene, afterMs, memory)) {
    const { session, due } = resumable;
    if (due > cx.nowMs()) return null;
    if (busy.includes(session.id)) continue;
    // Somebody may have gone on with it since its record was read.
    readAhead(cx, store, session.id);
    if (!claimResume(store, resumable, afterMs, claimant.holder ?? null)) continue;
    return sendingOf(scene, { ...resumable, session: sessionById(store, session.id)! }, memory);
  }
  return null;
}

function sendingOf(scene: PassScene, resumable: Resumable, memory: PassMemory): Sending {
  const { cx, store } = scene;
  const { session, taskId } = resumable;
  return {
    target: session,
    text: WORDS,
    taskId,
    commandId: null,
    notificationId: null,
    origin: ORIGIN,
    undisturbed: true,
    begin(deliveryId) {
      readAhead(cx, store, session.id);
      if (!isStillNewest(store, resumable)) return false;
      beginResume(store, resumable, deliveryId);
      return true;
    },
    extend: () => true,
    finish(verdict, write) {
      if (!verdict.started) rest(memory, restKey(resumable), session, cx.nowMs());
      return [finish(scene, resumable, verdict, write)];
    },
  };
}

const itemOf = ({ store, claimant }: PassScene, { session, taskId, eventId }: Pick<Resumable, "session" | "taskId" | "eventId">): Item => ({
  dispatcher_id: claimant.dispatcherId,
  dry_run: false,
  signal_type: SIGNAL,
  source_event_id: eventId,
  target_session: session.name,
  task: needTask(store, taskId).name,
});

/** Writes down how it went: what was not sent can be tried again while the turn is still the newest. */
function finish(scene: PassScene, resumable: Resumable, verdict: Verdict, write: () => void): Item {
  const { store, claimant } = scene;
  const { state, started, transport, proof, error, errorType } = verdict;
  const { session, taskId, eventId } = resumable;
  const arrived = state === "delivered";
  return tx(store, () => {
    write();
    if (started) endResume(store, resumable);
    else dropResume(store, resumable);
    if (started) addEvent(store, { ...RESUMED, taskId, payload: { session: session.name, state, source_event_id: eventId } });
    reportSignal(store, taskId, {
      type: started ? "dispatch_limit_resumed" : "dispatch_limit_resume_held",
      severity: arrived ? "info" : "warning",
      summary: started ? `${session.name} was told to go on: its limit is over` : `${session.name} is not gone on with yet: ${error}`,
      correlation: { dispatcher_id: claimant.dispatcherId, signal_type: SIGNAL, source_event_id: eventId },
      attributes: { target_session: session.name, target: targetOf(session), transport, proof, state, error, error_type: errorType },
    });
    return {
      ...itemOf(scene, resumable),
      transport,
      proof,
      side_effect_started: started,
      state: arrived ? "delivered" : started ? state : "parked",
      ...(arrived ? {} : { error, error_type: errorType }),
    };
  });
}

/**
 * What dispatchers that died had begun to say is not said again; where its delivery does not prove it, nobody can tell what they said. What
 * they had only claimed is free again.
 */
export async function loseDeadResumes(scene: PassScene): Promise<Item[]> {
  const { cx, store, claimant } = scene;
  const items: Item[] = [];
  for (const claim of claimedResumes(store)) {
    const { session_id, task_id, event_id } = claim;
    const holder = heldBy(claim);
    if (holder === null || !(await isGone(holder, cx.env))) continue;
    const session = sessionById(store, session_id);
    const lost = tx(store, () => {
      const state = session === null ? null : loseResume(store, claim);
      if (session === null || state === null || state === "unsent") return null;
      const item = itemOf(scene, { session, taskId: task_id, eventId: event_id });
      if (state === "said") return { ...item, state: "delivered", proof: "seen" };
      addEvent(store, { ...RESUMED, taskId: task_id, payload: { session: session.name, state, source_event_id: event_id } });
      const error = "a dispatcher died while it told the session to go on; look before it is told again";
      reportSignal(store, task_id, {
        type: "dispatch_limit_resume_unknown",
        severity: "warning",
        summary: `${session.name}: ${error}`,
        correlation: { dispatcher_id: claimant.dispatcherId, signal_type: SIGNAL, source_event_id: event_id },
        attributes: { target_session: session.name },
      });
      return { ...item, state: "unknown", error };
    });
    if (lost !== null) items.push(lost);
  }
  return items;
}
