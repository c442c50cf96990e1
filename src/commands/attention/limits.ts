/** `limits`: how much of their limits the agents' accounts have used, and which sessions are at one. */
import { flag, pathFlag, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { ingestBound } from "../../flow/observe/rollout-watch.ts";
import { limitsReport } from "../../store/attention/report.ts";
import { limitsText } from "../../view/limits.ts";

export default verb(
  {
    about:
      "Lists how much of each window of its limits every account has used, as the records of its sessions and their servers told, and " +
      "when it is full again; an account is an agent and its home, whose credentials are not read. What was not told is unknown. " +
      "Below stands which sessions are at their limit, and how many messages of Dispatch are parked until that is over.",
    examples: [
      ["limits", "a table, and a line for each session"],
      ["limits --json", "the same for a script; what is unknown is null there"],
    ],
    flags: { json: flag("print JSON"), path: pathFlag },
  },
  (args, cx: Context) => {
    const store = cx.store(args.path);
    ingestBound(cx, store, (message) => cx.err(`warning: ${message}`));
    const report = limitsReport(store);
    if (args.json) cx.json(report);
    else cx.out(limitsText(report.accounts));
  },
);
