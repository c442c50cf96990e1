/** `import-compat`: brings workers that the oldest releases kept in files into the database. */
import { flag, jsonFlag, pathFlag, text, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { importCompat, planCompat } from "../../store/compat/compat.ts";
import { compatFolders } from "../../system/compat-folders.ts";

export default verb(
  {
    about:
      "Brings folders with a config.json (worker, status, transcript and events kept in files) into the database. Says " +
      "what it would do; with --apply it does it, all or nothing. What was imported once is not imported again. JSON.",
    examples: [
      ["import-compat", "what is there to import"],
      ["import-compat --apply --worker login-fix", "import one worker"],
    ],
    flags: {
      apply: flag("write it; without, only say what would be written"),
      worker: text("only this worker", { value: "NAME", filled: true }),
      root: text("folder that holds the workers' folders instead of the state root", { value: "DIR", filled: true }),
      json: jsonFlag,
      path: pathFlag,
    },
  },
  (args, cx: Context) => {
    const root = args.root === undefined ? cx.stateRoot : cx.path(args.root);
    const folders = compatFolders(root, args.worker);
    const store = cx.store(args.path);
    const workers = args.apply ? importCompat(store, folders) : planCompat(store, folders);
    cx.json({ apply: args.apply, root, worker_count: workers.length, workers });
  },
);
