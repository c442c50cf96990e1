/** `open-worker`: a terminal window on the tmux session of a task's worker. */
import { choice, flag, jsonFlag, pathFlag, verb, word } from "../args/spec.ts";
import type { Context } from "../context.ts";
import { openSide } from "../flow/open.ts";
import { TERMINALS } from "../system/terminal.ts";

export default verb(
  {
    about: "Opens a terminal window that is attached to the tmux session of the worker bound to a task. Without a display it fails and tells how to attach by hand.",
    examples: [["open-worker login-fix --dry-run", "print the attach command and what would be started"]],
    positionals: { task: word("a bound task, by name or id") },
    flags: {
      terminal: choice("which terminal program; auto takes what is installed ($TERMINAL first, on Linux)", TERMINALS, { default: "auto" }),
      dryRun: flag("start nothing"),
      json: jsonFlag,
      path: pathFlag,
    },
  },
  async (args, cx: Context) => cx.json(await openSide(cx, "worker", args)),
);
