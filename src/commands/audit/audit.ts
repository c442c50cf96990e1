/** `audit`: everything that is on record about one task. */
import { flag, pathFlag, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { UsageError } from "../../core/failure.ts";
import { printJson, printLines } from "../../flow/audit/print.ts";
import { AUDIT_KEYS, auditRows } from "../../store/audit/audit.ts";
import { verifyChain } from "../../store/audit/chain-verify.ts";
import { correlationChains } from "../../store/audit/correlation.ts";
import { snapshot } from "../../store/reading.ts";
import { needNewestTask } from "../../store/tasks/tasks.ts";
import { auditText } from "../../view/audit/audit.ts";
import { Stream } from "../../view/json-stream.ts";
import { chainLines } from "../../view/audit/verify.ts";

export default verb(
  {
    about:
      "Shows what is on record about a task: as text its log of events, as JSON the rows of every table that knows the task. Texts of " +
      "screens are replaced by their sizes unless asked for. With --verify it compares every event and telemetry event with the seal " +
      "it got when it was written, names those that were changed, taken away or written past this program, and then exits with 1.",
    examples: [
      ["audit login-fix", "the log of events, oldest first"],
      ["audit login-fix --json", "every table, for a script"],
      ["audit login-fix --verify", "was the record changed afterwards"],
    ],
    positionals: { task: word("task, by name or id") },
    flags: {
      json: flag("print every table as JSON"),
      includeContent: flag("keep the texts of captured screens and transcripts in the JSON"),
      verify: flag("compare the rows with their seals instead"),
      head: text("with --verify: an end of the chain that was noted earlier and must be part of it", { value: "HASH", filled: true }),
      path: pathFlag,
    },
  },
  (args, cx: Context) => {
    if (args.head !== undefined && !args.verify) throw new UsageError("--head goes with --verify");
    const store = cx.store(args.path);
    return snapshot(store, () => {
      const task = needNewestTask(store, args.task);
      if (args.verify) {
        const report = verifyChain(store, task.id, args.head);
        if (args.json) cx.json({ ...report, task: { id: task.id, name: task.name } });
        else printLines(cx, chainLines(task.name, report));
        return report.ok ? 0 : 1;
      }
      if (!args.json) {
        printLines(cx, auditText(task, auditRows(store, "events", task.id, false)));
        return 0;
      }
      const sections = AUDIT_KEYS.map((key) => [key, new Stream(() => auditRows(store, key, task.id, args.includeContent))]);
      printJson(cx, { ...Object.fromEntries(sections), correlation_chains: new Stream(() => correlationChains(store, task.id)), task });
      return 0;
    });
  },
);
