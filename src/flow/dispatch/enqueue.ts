/** Queueing a command for Dispatch: the checks, flags and last words that the three enqueue commands share. */
import { flag, pathFlag, text } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { Failure } from "../../core/failure.ts";
import { PERMISSION_NAMES, permissionsNamed } from "../../core/tasks/permissions.ts";
import type { CommandType } from "../../core/dispatch/queued-command.ts";
import type { Task } from "../../core/tasks/task.ts";
import { createCommand, holderOfKey } from "../../store/dispatch/commands.ts";
import { type Store, tx } from "../../store/store.ts";
import { needTask } from "../../store/tasks/tasks.ts";
import { dispatchers } from "../reach/dispatchers.ts";
import { nextCommand } from "../reach/next-command.ts";

/** The flags that every enqueue command has. */
export const enqueueFlags = {
  message: text("what to say", { required: true, value: "TEXT" }),
  correlationId: text("id that ties this to other records; made up unless given", { value: "ID" }),
  requiredPermission: text("deliver only if the manager is permitted this when it is delivered: category.action or an alias", {
    value: "NAME",
  }),
  idempotencyKey: text("refuse when a command with this key was ever queued", { value: "KEY" }),
  json: flag("print JSON"),
  path: pathFlag,
};

interface EnqueueArgs {
  readonly task: string;
  readonly message: string;
  readonly correlationId?: string | undefined;
  readonly requiredPermission?: string | undefined;
  readonly idempotencyKey?: string | undefined;
}

export interface Queued {
  readonly command_id: string;
  readonly command_type: CommandType;
  readonly correlation_id: string;
  readonly required_permission: string | null;
  readonly task: string;
}

function neededPermission(given: string | undefined): string | null {
  if (given === undefined) return null;
  const name = given.trim();
  if (name === "") throw new Failure("--required-permission must not be empty", { hint: "leave it out when no permission is needed" });
  if (!permissionsNamed(name))
    throw new Failure(`unknown permission ${JSON.stringify(name)}`, { hint: `known are ${PERMISSION_NAMES.join(", ")}` });
  return name;
}

/**
 * Queues one command, all checks and the row in one transaction.
 * @param extend further parts of the payload; may refuse
 * @throws Failure when a check refuses; nothing is written then
 */
export function enqueue(
  store: Store,
  type: CommandType,
  args: EnqueueArgs,
  extend: (task: Task) => Record<string, unknown> = () => ({}),
): Queued {
  return tx(store, () => {
    if (args.message.trim() === "")
      throw new Failure("--message must not be blank", { hint: "say in it what the receiver is to know or do" });
    const task = needTask(store, args.task);
    const payload = { message: args.message, ...extend(task) };
    const permission = neededPermission(args.requiredPermission);
    const correlationId = args.correlationId || store.newId("dispatch");
    const key = args.idempotencyKey || undefined;
    const holder = key === undefined ? null : holderOfKey(store, key);
    if (holder) {
      throw new Failure(`idempotency key ${JSON.stringify(key)} is used by command ${holder.id}, which is ${holder.state}`, {
        hint: "conveyor commands --attempts shows what became of it; give another key to queue another command",
      });
    }
    const id = createCommand(store, {
      type,
      taskId: task.id,
      payload,
      correlationId,
      requiredPermission: permission,
      ...(key === undefined ? {} : { idempotencyKey: key }),
    });
    return { command_id: id, command_type: type, correlation_id: correlationId, required_permission: permission, task: args.task };
  });
}

/** Prints what was queued, `more` of it in JSON; a message that nobody is there to carry is told of. */
export async function printQueued(
  cx: Context,
  store: Store,
  args: { json: boolean },
  queued: Queued,
  more: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  if (args.json) cx.json({ ...queued, ...more });
  else cx.out(`queued ${queued.command_type} ${queued.command_id}`);
  if ((await dispatchers(cx, store)).some((each) => each.alive && each.dry_run === 0)) return;
  cx.err(`note: no Dispatch is running to carry it: ${nextCommand(cx, store, "dispatch", "--watch")}`);
}
