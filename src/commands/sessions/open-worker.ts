/** `open-worker`: a terminal window on the tmux session of a task's worker. */
import { verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { openFlags, openSide } from "../../flow/sessions/open.ts";

export default verb(
  {
    about:
      "Opens a terminal window that is attached to the tmux session of the worker " +
      "bound to a task. Without a display it fails and tells how to attach by hand.",
    examples: [["open-worker login-fix --dry-run", "print the attach command and what would be started"]],
    positionals: { task: word("a bound task, by name or id") },
    flags: openFlags,
  },
  async (args, cx: Context) => cx.json(await openSide(cx, "worker", args)),
);
