/** Actions on records: tasks, sessions, bindings, and what a person has looked at. */
import * as v from "valibot";
import { ROLES } from "../../core/sessions/session.ts";
import { registerFound } from "../../flow/sessions/found-sessions.ts";
import { bind, unbind } from "../../store/sessions/bindings.ts";
import { dismiss } from "../../store/attention/dismissals.ts";
import { deregister } from "../../store/sessions/deregister.ts";
import { needSession } from "../../store/sessions/sessions.ts";
import { createTask, needTask, openTaskNamed } from "../../store/tasks/tasks.ts";
import { type Action, action, filled } from "./action.ts";

export const recordActions: Readonly<Record<string, Action>> = {
  "create-task": action(v.strictObject({ name: filled(200), goal: filled(), summary: v.optional(v.string()) }), ({ store }, input) => {
    const open = openTaskNamed(store, input.name);
    const task = createTask(store, { name: input.name, goal: input.goal, summary: input.summary?.trim() || null });
    return {
      said: `Task ${task.name} was created.${open === null ? "" : " Another one of this name is open, too."}`,
      wrote: [`tasks ${task.id}`],
      result: { id: task.id },
    };
  }),

  register: action(
    v.strictObject({
      name: filled(200),
      role: v.picklist(ROLES),
      thread: filled(100),
      pid: v.pipe(v.number(), v.integer(), v.minValue(1)),
      tmuxSession: v.nullable(filled(200)),
      paneId: v.nullable(filled(20)),
    }),
    async ({ cx, store }, input) => {
      const session = await registerFound(cx, store, input);
      return { said: `${session.name} is registered as ${session.role}.`, wrote: [`sessions ${session.id}`] };
    },
  ),

  deregister: action(v.strictObject({ session: filled(200) }), ({ store }, { session }) => {
    const refusal = deregister(store, needSession(store, session));
    if (refusal) throw refusal;
    return { said: `${session} is marked as gone; nothing was stopped.`, wrote: [`sessions: ${session} → gone`] };
  }),

  bind: action(
    v.strictObject({ task: filled(200), worker: filled(200), manager: filled(200), crew: v.optional(v.boolean(), false) }),
    ({ store }, input) => {
      const [worker, manager] = [needSession(store, input.worker), needSession(store, input.manager)];
      const binding = bind(store, needTask(store, input.task), worker, manager, input);
      return { said: `${input.worker} works for ${input.manager} now.`, wrote: [`bindings ${binding.id}`] };
    },
  ),

  unbind: action(v.strictObject({ task: filled(200) }), ({ store }, input) => {
    const task = needTask(store, input.task);
    unbind(store, task);
    return { said: `Nobody is bound to ${task.name} any more.`, wrote: [`bindings: the one of ${task.name} → ended`] };
  }),

  dismiss: action(
    v.strictObject({ task: filled(200), item: v.pipe(v.string(), v.regex(/^(notification|command|delivery):[\w-]{1,80}$/)) }),
    ({ store }, input) => {
      dismiss(store, needTask(store, input.task).id, input.item);
      return { said: "You will not be told of it again; the record stays.", wrote: [`dashboard_dismissals ${input.item}`] };
    },
  ),
};
