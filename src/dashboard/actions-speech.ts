/** Actions that look at the pair or speak to it. */
import * as v from "valibot";
import { runCycle } from "../flow/cycle.ts";
import { enqueue } from "../flow/enqueue.ts";
import { needTask } from "../store/tasks.ts";
import { type Action, action, filled } from "./action.ts";

export const speechActions: Readonly<Record<string, Action>> = {
  cycle: action(v.strictObject({ task: filled(200) }), async ({ cx, store }, input) => {
    const task = needTask(store, input.task);
    const cycle = await runCycle(cx, store, { task: task.id, busyWaitSeconds: 90 });
    return { said: `${String(cycle.worker_session)} is ${String(cycle.state)}.`, wrote: [`manager_cycles ${String(cycle.cycle_id)}`], result: { cycle_id: cycle.cycle_id } };
  }),

  queue: action(v.strictObject({ task: filled(200), to: v.picklist(["worker", "manager"]), message: filled() }), ({ store }, input) => {
    const task = needTask(store, input.task);
    const queued = enqueue(store, input.to === "worker" ? "nudge_worker" : "notify_manager", { task: task.id, message: input.message });
    return { said: `The message to the ${input.to} waits for Dispatch.`, wrote: [`commands ${queued.command_id}`], result: { correlation: queued.correlation_id } };
  }),
};
