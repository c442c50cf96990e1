/** Saying something to one session by name: session-nudge, and nudge for whoever is registered. */
import type { Context } from "../../context.ts";
import type { Proof, Transport } from "../../core/delivery/delivery.ts";
import { Failure } from "../../core/failure.ts";
import { type Session, wayBack } from "../../core/sessions/session.ts";
import type { Store } from "../../store/store.ts";
import { deliver, type Delivered } from "./deliver.ts";
import { askerOf } from "../reach/asker.ts";
import { recipientOf, threadLock } from "../reach/recipient.ts";
import { type Parked, parkOverBudget } from "./over-budget.ts";
import { boundTask, recorded } from "./session-action.ts";

/** What a command prints of a sending, besides what was said to whom. */
interface SendingFacts {
  readonly side_effect_started: boolean;
  readonly side_effect_completed: boolean;
  readonly time: string;
  readonly transport: Transport | null;
  readonly proof: Proof;
}

interface Nudged extends SendingFacts {
  readonly session: string;
  readonly text: string;
  readonly target: string | null;
  readonly dry_run: boolean;
  readonly delivery_id: string | null;
  /** It was not said but queued, since the task of the session is over its budget; null: it was said. */
  readonly parked: Parked | null;
}

/**
 * Delivers `text` to the session of this name and records it. A text that waits visibly in a busy agent is a success whose proof is
 * pending.
 * @throws Failure when it was not delivered, naming what is in the way
 */
export function nudgeSession(
  cx: Context,
  store: Store,
  input: { name: string; text: string; dryRun: boolean; origin: string; steer?: boolean },
): Promise<Nudged> {
  const action = {
    event: "session_nudged",
    telemetry: "session_nudge",
    session: input.name,
    dryRun: input.dryRun,
    facts: { text_length: input.text.length },
  };
  return recorded(store, action, async (session) => {
    refuseUnreachable(cx, session);
    const base = { session: input.name, text: input.text, dry_run: input.dryRun, target: session.tmux_session };
    if (input.dryRun) return { ...base, ...unsentFacts(store), delivery_id: null, parked: null };
    const parked = parkOverBudget({ cx, store }, session, input.text, input.steer === true);
    if (parked !== null) return { ...base, ...unsentFacts(store), delivery_id: null, parked };
    const sent = await deliver(cx, store, {
      recipient: recipientOf(session),
      text: input.text,
      origin: input.origin,
      colleague: (await askerOf(cx, store)) !== null,
      steer: input.steer === true,
      taskId: boundTask(store, session).taskId,
    });
    refuseUndelivered(sent);
    if (sent.state === "typed") cx.err(`note: ${sent.error}; ${sent.hint}`);
    return { ...base, ...sentFacts(store, sent), parked: null };
  });
}

/** The facts of a sending that is over, and the id of its record. */
export const sentFacts = (store: Store, sent: Delivered): SendingFacts & { readonly delivery_id: string } => ({
  side_effect_started: sent.started,
  side_effect_completed: sent.completed,
  time: store.now(),
  transport: sent.transport,
  proof: sent.proof,
  delivery_id: sent.id,
});

/** The same of a dry run, which leaves no record. */
export const unsentFacts = (store: Store): SendingFacts => ({
  side_effect_started: false,
  side_effect_completed: false,
  time: store.now(),
  transport: null,
  proof: "pending",
});

/** @throws Failure when the text did not arrive, or nothing shows that it did */
export function refuseUndelivered(sent: Delivered): void {
  if (sent.state === "delivered" || (sent.state === "typed" && sent.accepted)) return;
  throw new Failure(sent.error ?? "the text was not delivered", sent.hint === null ? {} : { hint: sent.hint });
}

/** What can be told without asking tmux, so that a dry run tells it too. */
export function refuseUnreachable(cx: Context, session: Session): void {
  const who = JSON.stringify(session.name);
  if (session.state === "gone") throw new Failure(`session ${who} is gone`, { hint: wayBack(session, cx.program) });
  if (!session.tmux_session && threadLock(recipientOf(session))?.held !== true) {
    throw new Failure(`session ${who} has no tmux session and no live thread to push to`, {
      hint: `it has to ask its inbox: ${cx.program} ${session.role}-inbox TASK --consume-next`,
    });
  }
}
