/** `session-inbox`: what waits for a session, whether it is bound or not. */
import { verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { checkInboxArgs, inboxFlags, showInbox } from "../../flow/dispatch/inbox.ts";
import { needSession } from "../../store/sessions/sessions.ts";

export default verb(
  {
    about:
      "Lists the delivered messages that wait for a session, oldest first, and takes the oldest with " +
      "--consume-next. With --wait it sleeps until one is there. Works for any registered session, bound or not.",
    examples: [
      ["session-inbox worker-1 --json", "what waits, without taking it"],
      ["session-inbox worker-1 --consume-next --wait --timeout 60 --json", "take the next message as soon as it comes"],
    ],
    positionals: { session: word("session name") },
    flags: inboxFlags,
  },
  async (args, cx: Context) => {
    checkInboxArgs(args);
    const store = cx.store(args.path);
    await showInbox(cx, store, needSession(store, args.session), args);
  },
);
