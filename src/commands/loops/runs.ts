/** `runs`: creates, lists, shows and ends runs. */
import { choice, flag, json, pathFlag, text, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { UsageError } from "../../core/failure.ts";
import { RUN_STATUSES } from "../../core/loops/run.ts";
import { createRun, finishRun, listRuns, needRun } from "../../store/record/runs.ts";
import { needNewestTask, needTask } from "../../store/tasks/tasks.ts";

export default verb(
  {
    about:
      "A run is a named stretch of work on a task: telemetry is kept under it, and a task has at most " +
      "one that is active. With the purpose ralph_loop (or that kind in the metadata) the policy record " +
      "of a loop is made instead, finished at once. A name means the youngest run of that name.",
    examples: [
      ["runs --create login-fix --name first-try", "telemetry of the task belongs to this run from now on"],
      ["runs --finish first-try --status failed", "end it"],
      ["runs --list --task login-fix", "all runs of a task, youngest first"],
    ],
    flags: {
      create: text("create a run of this task", { value: "TASK" }),
      list: flag("list runs, youngest first"),
      show: text("show this run (id or name)", { value: "RUN" }),
      finish: text("end this run (id or name)", { value: "RUN" }),
      name: text("name of the new run; task and time unless given"),
      purpose: text("what the new run is for"),
      metadataJson: json("further facts of the new run"),
      status: choice("with --list only runs of this status, with --finish how it ended (default finished)", RUN_STATUSES),
      task: text("with --list only runs of this task"),
      json: flag("print JSON, as it does anyway"),
      path: pathFlag,
    },
    exclusive: [{ of: ["create", "list", "show", "finish"], required: true }],
  },
  (args, cx: Context) => {
    if (args.finish !== undefined) {
      const status = args.status ?? "finished";
      if (status === "active") throw new UsageError("--finish cannot end a run as active: choose finished, failed or abandoned");
      const store = cx.store(args.path);
      return cx.json(finishRun(store, needRun(store, args.finish).id, status));
    }
    const store = cx.store(args.path);
    if (args.show !== undefined) return cx.json(needRun(store, args.show));
    if (args.create === undefined)
      return cx.json(listRuns(store, { taskId: args.task ? needNewestTask(store, args.task).id : undefined, status: args.status }));
    cx.json(
      createRun(store, needTask(store, args.create), {
        name: args.name || undefined,
        purpose: args.purpose || null,
        metadata: args.metadataJson,
      }),
    );
  },
);
