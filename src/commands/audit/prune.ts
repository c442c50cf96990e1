/** `prune`: drops the text of old captures, and what servers of ended sessions have printed. */
import { flag, integer, jsonFlag, pathFlag, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { pruneOldPlaces } from "../../flow/sessions/old-places.ts";
import { pruneCaptures } from "../../store/observe/captures.ts";

export default verb(
  {
    about:
      "Takes the text out of all but the newest captures of every worker; sizes, digests and times stay. Takes away what the servers of " +
      "sessions that have ended have printed.",
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
  async (args, cx: Context) => {
    const store = cx.store(args.path);
    const found = pruneCaptures(store, args.keepLatest, args.dryRun);
    const places = await pruneOldPlaces(cx, store, args.dryRun);
    cx.json({
      dry_run: args.dryRun,
      keep_latest: args.keepLatest,
      pruned_count: args.dryRun ? 0 : found,
      would_prune_count: found,
      server_logs_pruned: args.dryRun ? 0 : places,
      would_prune_server_logs: places,
    });
  },
);
