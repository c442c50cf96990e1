/** `manager-permission`: asks whether a manager may do something; does nothing. */
import { flag, jsonFlag, pathFlag, verb, word } from "../../args/spec.ts";
import { nearest } from "../../args/nearest.ts";
import type { Context } from "../../context.ts";
import { Failure } from "../../core/failure.ts";
import { CATEGORIES, checkPermission, isCategory, PERMISSION_NAMES, permissionsNamed } from "../../core/tasks/permissions.ts";
import { quoteWord } from "../../core/shell.ts";
import { addEvent } from "../../store/record/events.ts";
import { latestHandoff } from "../../store/tasks/handoffs.ts";
import { findConfig } from "../../store/tasks/manager-configs.ts";
import { tx } from "../../store/store.ts";
import { needTask } from "../../store/tasks/tasks.ts";
import { addTelemetry } from "../../store/record/telemetry.ts";

/** @throws Failure naming what is close to a name that is unknown, or one that does not fit --list */
function refuseUnknown(action: string, list: boolean): void {
  if (list ? isCategory(action) : permissionsNamed(action)) return;
  if (list) throw new Failure(`--list takes a category (${CATEGORIES.join(", ")}), not ${JSON.stringify(action)}`);
  if (isCategory(action))
    throw new Failure(`${JSON.stringify(action)} is a category, not an action`, {
      hint: `add --list, or name an action: ${PERMISSION_NAMES.filter((name) => name.startsWith(`${action}.`)).join(", ")}`,
    });
  const guess = nearest(action, PERMISSION_NAMES) ?? PERMISSION_NAMES.find((name) => name.endsWith(`.${action}`));
  throw new Failure(`unknown permission ${JSON.stringify(action)}${guess ? `. Did you mean ${guess}?` : ""}`, {
    hint: `known are ${PERMISSION_NAMES.join(", ")}`,
  });
}

export default verb(
  {
    about:
      "Says whether the task's configuration lets the manager do something, and why " +
      "not. The answer is JSON; only --require turns a no into exit status 1.",
    examples: [
      ["manager-permission login-fix repo.open_pr --require", "stop a script when a pull request is not allowed"],
      ["manager-permission login-fix worker_session --list", "what is granted in a category"],
    ],
    positionals: { task: word("task id or name"), action: word("category.action or an alias; with --list a category") },
    flags: {
      list: flag("show what is granted in the category"),
      requireHandoff: flag("also ask for a saved handoff"),
      require: flag("exit with status 1 when it is not allowed"),
      json: jsonFlag,
      path: pathFlag,
    },
  },
  (args, cx: Context) => {
    const store = cx.store(args.path);
    const task = needTask(store, args.task);
    const result = tx(store, () => {
      const config = findConfig(store, task.id);
      if (config) refuseUnknown(args.action, args.list);
      const handoff = latestHandoff(store, task.id)?.id ?? null;
      const needsHandoff = args.requireHandoff && !args.list;
      const listed = config && args.list && isCategory(args.action) ? config.permissions[args.action] : null;
      const check = listed
        ? { allowed: true, reasons: [] }
        : checkPermission(config?.permissions ?? null, args.action, { required: needsHandoff, present: handoff !== null });
      const facts = {
        action: args.action,
        ...check,
        handoff_id: handoff,
        listed_permissions: listed,
        require_handoff: args.requireHandoff,
        task: { id: task.id, name: task.name },
      };
      addEvent(store, {
        type: "manager_permission_checked",
        taskId: task.id,
        payload: { ...facts, config_revision: config?.revision ?? null },
      });
      addTelemetry(store, {
        type: "manager_permission_checked",
        actor: "manager",
        severity: check.allowed ? "info" : "warning",
        taskId: task.id,
        summary: `${args.action} ${check.allowed ? "allowed" : `denied: ${check.reasons.join(", ")}`}`,
        correlation: { action: args.action, handoff_id: handoff },
        attributes: { allowed: check.allowed, reasons: check.reasons, require_handoff: args.requireHandoff },
      });
      return { ...facts, config };
    });
    cx.json(result);
    if (result.allowed || !args.require) return 0;
    const remedies: Record<string, string> = {
      missing_manager_config: `${cx.program} manager-config ${quoteWord(task.name)} --questions`,
      permission_not_enabled: `if the operator agrees: ${cx.program} manager-config ${quoteWord(task.name)} --permit ${quoteWord(args.action)}`,
      missing_worker_handoff: `${cx.program} handoff ${quoteWord(task.name)} --summary TEXT`,
    };
    throw new Failure(`${args.action} is not allowed for task ${JSON.stringify(task.name)}: ${result.reasons.join(", ")}`, {
      hint: result.reasons.map((reason) => remedies[reason]).join("; "),
    });
  },
);
