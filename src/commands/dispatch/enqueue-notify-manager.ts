/** `enqueue-notify-manager`: queues a message from the worker to the manager of a task. */
import { verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { enqueue, enqueueFlags, printQueued } from "../../flow/dispatch/enqueue.ts";

export default verb(
  {
    about:
      "Queues a message for the manager of a task; Dispatch delivers it. No " +
      "binding is needed yet: it is looked up when the message is delivered.",
    examples: [
      [
        "enqueue-notify-manager login-fix --message 'The parser is ready for review' --json",
        "queue it; 'conveyor dispatch --once' delivers it when no watch runs",
      ],
    ],
    positionals: { task: word("task name or id") },
    flags: enqueueFlags,
  },
  (args, cx: Context) => {
    const store = cx.store(args.path);
    return printQueued(cx, store, args, enqueue(store, "notify_manager", args));
  },
);
