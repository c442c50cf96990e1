/** How a session is reached when Dispatch has something for it. */
import type { DeliveryMode } from "../../core/dispatch/notification.ts";
import type { Session } from "../../core/sessions/session.ts";
import { polledLately } from "../../store/dispatch/inbox-polls.ts";
import type { Store } from "../../store/store.ts";
import { recipientOf, threadLock } from "../reach/recipient.ts";

/**
 * What runs in tmux is sent to. What does not is sent to by its agent's own queue while its thread lives, unless it asks its inbox by
 * itself: then it would read everything twice. Everything else pulls.
 */
export function modeOf(store: Store, target: Session): DeliveryMode {
  if (target.tmux_session) return "push";
  return threadLock(recipientOf(target))?.held === true && !polledLately(store, target.id) ? "push" : "pull_required";
}
