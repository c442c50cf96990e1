/** `audit`: everything that is on record about one task. */
import { flag, pathFlag, verb, word } from "../args/spec.ts";
import type { Context } from "../context.ts";
import { printJson, printLines } from "../flow/print.ts";
import { AUDIT_KEYS, auditRows } from "../store/audit.ts";
import { correlationChains } from "../store/correlation.ts";
import { snapshot } from "../store/reading.ts";
import { needTask } from "../store/tasks.ts";
import { auditText } from "../view/audit.ts";
import { Stream } from "../view/json-stream.ts";

export default verb(
  {
    about: "Shows what is on record about a task: as text its log of events, as JSON the rows of every table that knows the task. Texts of screens are replaced by their sizes unless asked for.",
    examples: [
      ["audit login-fix", "the log of events, oldest first"],
      ["audit login-fix --json", "every table, for a script"],
    ],
    positionals: { task: word("task, by name or id") },
    flags: {
      json: flag("print every table as JSON"),
      includeContent: flag("keep the texts of captured screens and transcripts in the JSON"),
      path: pathFlag,
    },
  },
  (args, cx: Context) => {
    const store = cx.store(args.path);
    snapshot(store, () => {
      const task = needTask(store, args.task);
      if (!args.json) return printLines(cx, auditText(task, auditRows(store, "events", task.id, false)));
      const sections = AUDIT_KEYS.map((key) => [key, new Stream(() => auditRows(store, key, task.id, args.includeContent))]);
      printJson(cx, { ...Object.fromEntries(sections), correlation_chains: new Stream(() => correlationChains(store, task.id)), task });
    });
  },
);
