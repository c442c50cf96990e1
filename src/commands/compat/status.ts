/** `status`: what a worker or session reports of itself, and its terminal. */
import { flag, integer, jsonFlag, pathFlag, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { needSubject } from "../../flow/reach/subject.ts";
import { statusReport } from "../../flow/compat/worker-status.ts";

export default verb(
  {
    about: "Prints the newest status report of a worker or session, and whether its terminal runs. A running terminal is captured first.",
    examples: [["status worker-1", "report and terminal"]],
    positionals: { name: word("a worker or a registered session") },
    flags: {
      noRefresh: flag("do not capture the terminal"),
      lines: integer("lines of history to capture", { default: 200, value: "N" }),
      json: jsonFlag,
      path: pathFlag,
    },
  },
  async (args, cx: Context) => {
    const store = cx.store(args.path);
    cx.json(await statusReport({ cx, store, subject: needSubject(cx, store, args.name) }, { refresh: !args.noRefresh, lines: args.lines }));
  },
);
