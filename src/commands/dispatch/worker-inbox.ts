/** `worker-inbox`: what waits for the worker of a task. */
import { verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { checkInboxArgs, inboxFlags, showSideInbox } from "../../flow/dispatch/inbox.ts";
import { sendErrand } from "../../flow/worktrees/errand.ts";

export default verb(
  {
    about:
      "Lists the delivered messages that wait for the worker bound to a task, oldest first, and takes the " +
      "oldest with --consume-next. With --wait it sleeps until one is there; timing out is no error.",
    examples: [
      ["worker-inbox login-fix", "what waits, without taking it"],
      ["worker-inbox login-fix --consume-next --wait --timeout 60 --json", "take the next message as soon as it comes"],
    ],
    positionals: { task: word("task name or id") },
    flags: inboxFlags,
  },
  async (args, cx: Context) => {
    checkInboxArgs(args);
    const { consumeNext, wait, timeout, interval, limit, json } = args;
    const flags = { "consume-next": consumeNext, wait, timeout, interval, limit, json };
    // Only looking needs nothing written.
    const done = consumeNext || wait ? await sendErrand(cx, args.path, { command: "worker-inbox", task: args.task, flags }) : null;
    return done ?? showSideInbox(cx, "worker", args);
  },
);
