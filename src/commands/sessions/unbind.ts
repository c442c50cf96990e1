/** `unbind`: ends the binding of a task. */
import { jsonFlag, pathFlag, text, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { unbind } from "../../store/sessions/bindings.ts";
import { tx } from "../../store/store.ts";
import { needTask } from "../../store/tasks/tasks.ts";

export default verb(
  {
    about: "Ends the open binding of a task. Task and sessions keep their state; both sessions are free for another task.",
    examples: [["unbind --task login-fix", "free its worker and manager"]],
    flags: { task: text("task name or id", { required: true }), json: jsonFlag, path: pathFlag },
  },
  (args, cx: Context) => {
    const store = cx.store(args.path);
    tx(store, () => unbind(store, needTask(store, args.task)));
    cx.jsonLine({ task: args.task, state: "ended" });
  },
);
