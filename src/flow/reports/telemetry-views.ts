/** The views of `telemetry` by name. */
import type { Context } from "../../context.ts";
import { UsageError } from "../../core/failure.ts";
import { metrics } from "./telemetry-metrics.ts";
import { failures, operatorCheck, operatorSnapshot } from "./telemetry-operator.ts";
import type { Report, ViewFlags } from "./telemetry-scope.ts";
import { taskCheck, taskReport, taskSnapshot } from "./telemetry-task.ts";

export const VIEW_NAMES = ["metrics", "snapshot", "check", "task", "failures"] as const;
type ViewName = (typeof VIEW_NAMES)[number];

/** The task that the view `task` is about. */
function taskRef({ view_task, task }: ViewFlags): string {
  const ref = view_task || task;
  if (!ref) throw new UsageError("the view task needs a task: telemetry task TASK");
  return ref;
}

const VIEWS: Readonly<Record<ViewName, (cx: Context, flags: ViewFlags) => Promise<Report>>> = {
  metrics,
  failures,
  snapshot: (cx, flags) => (flags.task ? taskSnapshot(cx, flags, flags.task) : operatorSnapshot(cx, flags)),
  check: (cx, flags) => (flags.task ? taskCheck(cx, flags, flags.task) : operatorCheck(cx, flags)),
  task: async (cx, flags) => taskReport(cx, flags, taskRef(flags)),
};

/** What the view shows. Throws a UsageError when its words do not fit it, before the database is opened. */
export function showView(cx: Context, view: ViewName, flags: ViewFlags): Promise<Report> {
  if (view !== "task" && flags.view_task !== undefined)
    throw new UsageError(`unexpected word ${JSON.stringify(flags.view_task)}: only the view task takes a task there`);
  return VIEWS[view](cx, flags);
}
