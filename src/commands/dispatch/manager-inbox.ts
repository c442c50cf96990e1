/** `manager-inbox`: what waits for the manager of a task. */
import { verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { inboxFlags, showSideInbox } from "../../flow/dispatch/inbox.ts";

export default verb(
  {
    about:
      "Lists the delivered messages that wait for the manager bound to a task, oldest first, and takes the " +
      "oldest with --consume-next. With --wait it sleeps until one is there; timing out is no error. Of a manager that leads " +
      "several tasks, what belongs to the others is left out: session-inbox reads all of it.",
    examples: [
      ["manager-inbox login-fix", "what waits, without taking it"],
      ["manager-inbox login-fix --consume-next --wait --timeout 60 --json", "take the next message as soon as it comes"],
    ],
    positionals: { task: word("task name or id") },
    flags: inboxFlags,
  },
  (args, cx: Context) => showSideInbox(cx, "manager", args),
);
