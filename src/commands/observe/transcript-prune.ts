/** `transcript-prune`: drops the text of old transcript segments of a task. */
import { flag, integer, jsonFlag, pathFlag, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { needTask } from "../../store/tasks/tasks.ts";
import { pruneSegments } from "../../store/observe/transcripts.ts";

export default verb(
  {
    about:
      "Takes the text out of all but the newest transcript segments of each role of a " +
      "task, and out of the captures they came from; sizes, digests and times stay.",
    examples: [["transcript-prune login-fix --keep-latest 5 --dry-run", "how many segments would lose their text"]],
    positionals: { task: word("a task, by name or id") },
    flags: {
      keepLatest: integer("texts to keep for each role; 0 keeps none", { default: 20, value: "N" }),
      dryRun: flag("only count"),
      json: jsonFlag,
      path: pathFlag,
    },
  },
  (args, cx: Context) => {
    const store = cx.store(args.path);
    const task = needTask(store, args.task);
    const found = pruneSegments(store, task.id, args.keepLatest, args.dryRun);
    cx.json({
      dry_run: args.dryRun,
      keep_latest: args.keepLatest,
      pruned_count: args.dryRun ? 0 : found,
      would_prune_count: found,
      task: task.name,
    });
  },
);
