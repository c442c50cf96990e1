/** `list`: the workers with a folder below the state root, and the registered sessions. */
import { flag, pathFlag, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { oneLine } from "../../core/plain-text.ts";
import { listWorkers } from "../../flow/compat/worker-list.ts";
import { isThere } from "../../system/files/text-file.ts";

export default verb(
  {
    about:
      "Lists workers and active registered sessions: whether the terminal runs, the state and the task they report. Nothing is written.",
    examples: [
      ["list", "name, running or stopped, state, task, separated by tabs"],
      ["list --json", "the same for a script"],
    ],
    flags: { json: flag("print JSON"), path: pathFlag },
  },
  async (args, cx: Context) => {
    const store = isThere(cx.storePath(args.path)) ? cx.store(args.path) : null;
    const workers = await listWorkers(cx, store);
    for (const { file_error } of workers) if (file_error !== undefined) cx.err(`warning: ${file_error}`);
    if (args.json) return cx.json(workers);
    for (const { name, status, state, current_task } of workers) cx.out([name, status, state, current_task].map(oneLine).join("\t"));
  },
);
