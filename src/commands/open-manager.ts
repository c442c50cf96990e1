/** `open-manager`: a terminal window on the tmux session of a task's manager. */
import { choice, flag, jsonFlag, pathFlag, verb, word } from "../args/spec.ts";
import type { Context } from "../context.ts";
import { openSide } from "../flow/open.ts";
import { TERMINALS } from "../system/terminal.ts";

export default verb(
  {
    about: "Opens a terminal window that is attached to the tmux session of the manager bound to a task. Without a display it fails and tells how to attach by hand.",
    examples: [["open-manager login-fix --dry-run", "print the attach command and what would be started"]],
    positionals: { task: word("a bound task, by name or id") },
    flags: {
      terminal: choice("which terminal program; auto takes what is installed ($TERMINAL first, on Linux)", TERMINALS, { default: "auto" }),
      dryRun: flag("start nothing"),
      json: jsonFlag,
      path: pathFlag,
    },
  },
  async (args, cx: Context) => cx.json(await openSide(cx, "manager", args)),
);
