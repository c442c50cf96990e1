/** `bind`: joins a worker and a manager on a task. */
import { flag, jsonFlag, pathFlag, text, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { Failure } from "../../core/failure.ts";
import type { Role, Session } from "../../core/sessions/session.ts";
import { bind } from "../../store/sessions/bindings.ts";
import { needSession } from "../../store/sessions/sessions.ts";
import { type Store, tx } from "../../store/store.ts";
import { needTask } from "../../store/tasks/tasks.ts";

function sessionOfRole(store: Store, name: string, role: Role): Session {
  const session = needSession(store, name);
  if (session.role !== role)
    throw new Failure(`session ${JSON.stringify(name)} is registered as ${session.role}, not ${role}`, {
      hint: `conveyor sessions --role ${role}`,
    });
  return session;
}

export default verb(
  {
    about:
      "Joins a registered worker and a registered manager on a task. A task and a worker can be in one open binding only; " +
      "a manager too, unless --crew gives it another worker.",
    examples: [
      ["bind --task login-fix --worker worker-1 --manager manager-1", "worker-1 works, manager-1 supervises"],
      ["bind --task docs --worker worker-2 --manager manager-1 --crew", "manager-1 leads both"],
    ],
    flags: {
      task: text("task name or id", { required: true }),
      worker: text("name of the worker session", { required: true }),
      manager: text("name of the manager session", { required: true }),
      crew: flag("the manager may be bound already, and leads this worker too"),
      json: jsonFlag,
      path: pathFlag,
    },
  },
  (args, cx: Context) => {
    const store = cx.store(args.path);
    const binding = tx(store, () => {
      const task = needTask(store, args.task);
      const worker = sessionOfRole(store, args.worker, "worker");
      return bind(store, task, worker, sessionOfRole(store, args.manager, "manager"), args);
    });
    cx.json({ binding_id: binding.id, task: args.task, worker: args.worker, manager: args.manager });
  },
);
