/** Interrupting one session by name: session-interrupt, and the page. */
import type { Context } from "../../context.ts";
import type { Store } from "../../store/store.ts";
import { DEFAULT_KEY, interrupt, type Interrupted, needTerminal } from "./interrupt.ts";
import { recipientOf } from "../reach/recipient.ts";
import { boundTask, recorded } from "./session-action.ts";
import { refuseUnreachable } from "./speak.ts";

interface InterruptWish {
  readonly name: string;
  /** As tmux names it; absent: what interrupts the program there. */
  readonly key: string | undefined;
  readonly followup: string | null;
  readonly dryRun: boolean;
  readonly origin: string;
}

/**
 * Interrupts the session's turn, says `followup` afterwards, and records both.
 * @throws Failure when the session is unknown, gone or without a terminal, or the follow-up did not arrive
 */
export function interruptSession(cx: Context, store: Store, wish: InterruptWish): Promise<Interrupted> {
  let key = wish.key ?? DEFAULT_KEY;
  const action = {
    event: "session_interrupted",
    telemetry: "session_interrupt",
    session: wish.name,
    dryRun: wish.dryRun,
    facts: { followup_length: wish.followup?.length ?? 0 },
    correlation: () => ({ key }),
  };
  return recorded(store, action, async (session) => {
    refuseUnreachable(cx, session);
    // A dry run asks nothing of tmux, so it cannot know what runs in the pane.
    if (wish.dryRun) return { key, sent: false, target: needTerminal(recipientOf(session)), followup_proof: null };
    const interrupted = await interrupt(cx, store, recipientOf(session), {
      key: wish.key,
      followup: wish.followup,
      dryRun: false,
      origin: wish.origin,
      taskId: boundTask(store, session).taskId,
    });
    key = interrupted.key;
    return interrupted;
  });
}
