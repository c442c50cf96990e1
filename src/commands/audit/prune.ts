/** `prune`: drops the text of old captures. */
import { flag, integer, jsonFlag, pathFlag, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { pruneCaptures } from "../../store/observe/captures.ts";

export default verb(
  {
    about: "Takes the text out of all but the newest captures of every worker; sizes, digests and times stay.",
    examples: [
      ["prune --dry-run", "how many captures would lose their text"],
      ["prune --keep-latest 5", "keep the five newest texts of each worker"],
    ],
    flags: {
      keepLatest: integer("texts to keep for each worker; 0 keeps none", { default: 20, value: "N" }),
      dryRun: flag("only count"),
      json: jsonFlag,
      path: pathFlag,
    },
  },
  (args, cx: Context) => {
    const found = pruneCaptures(cx.store(args.path), args.keepLatest, args.dryRun);
    cx.json({ dry_run: args.dryRun, keep_latest: args.keepLatest, pruned_count: args.dryRun ? 0 : found, would_prune_count: found });
  },
);
