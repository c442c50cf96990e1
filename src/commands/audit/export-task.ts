/** `export-task`: everything about a task as files, for another machine or for keeping. */
import { join } from "node:path";
import { flag, pathFlag, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { exportTask } from "../../flow/audit/export-task.ts";
import { needNewestTask } from "../../store/tasks/tasks.ts";

/** The id as one part of a path, whatever another program made it of. */
const folderName = (id: string): string => (/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(id) ? id : encodeURIComponent(id).replaceAll(".", "%2E"));

export default verb(
  {
    about:
      "Writes what is on record about a task into a directory: the audit, its tables one by one, replay, telemetry, and a " +
      "manifest with the SHA-256 of each file and the end of the audit chain. Texts of screens and secrets of common shapes " +
      "are left out unless asked for. The same state gives the same bytes; `verify` checks an export on any machine.",
    examples: [
      ["export-task login-fix", "below the state root"],
      ["export-task login-fix --output /tmp/login-fix --zip", "into a directory of your own, and packed beside it"],
    ],
    positionals: { task: word("task, by name or id") },
    flags: {
      output: text("the directory to write to; below the state root unless given", { value: "DIR", filled: true }),
      zip: flag("also pack the files into an archive beside the directory, its path with .zip"),
      includeTranscripts: flag("with the texts of transcript segments"),
      includeFullTranscripts: flag("with those, the captured screens, and transcripts as text files"),
      includeSecrets: flag("leave tokens, keys and passwords as they are"),
      allTelemetry: flag("all telemetry events instead of the oldest 10000"),
      json: flag("print JSON, as it does anyway"),
      path: pathFlag,
    },
  },
  (args, cx: Context) => {
    const store = cx.store(args.path);
    const task = needNewestTask(store, args.task);
    const dir = args.output === undefined ? join(cx.stateRoot, "artifacts", "tasks", folderName(task.id), "export") : cx.path(args.output);
    cx.json(
      exportTask(cx, store, task, {
        dir,
        zip: args.zip,
        transcripts: args.includeTranscripts,
        fullTranscripts: args.includeFullTranscripts,
        secrets: args.includeSecrets,
        allTelemetry: args.allTelemetry,
      }),
    );
  },
);
