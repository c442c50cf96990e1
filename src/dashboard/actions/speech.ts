/** Actions that look at the pair or speak to it. */
import * as v from "valibot";
import { runCycle } from "../../flow/observe/shown-cycle.ts";
import { enqueue } from "../../flow/dispatch/enqueue.ts";
import { interruptSession } from "../../flow/delivery/session-interrupt.ts";
import { nudgeSession } from "../../flow/delivery/speak.ts";
import { needTask } from "../../store/tasks/tasks.ts";
import { type Action, action, filled } from "./action.ts";

const VIA = "dashboard";
const PROOFS: Readonly<Record<string, string>> = {
  seen: "and stands in its rollout",
  pending: "and waits there; its rollout has not shown it yet",
  unavailable: "; nothing there can prove it",
};

export const speechActions: Readonly<Record<string, Action>> = {
  cycle: action(v.strictObject({ task: filled(200) }), async ({ cx, store }, input) => {
    const task = needTask(store, input.task);
    const cycle = await runCycle(cx, store, { task: task.id, busyWaitSeconds: 90, consume: false }, () => {});
    return {
      said: `${String(cycle.worker_session)} is ${String(cycle.state)}${cycle.turn === "failed" ? ", its turn failed" : ""}.`,
      wrote: [`manager_cycles ${String(cycle.cycle_id)}`],
      result: { cycle_id: cycle.cycle_id },
    };
  }),

  message: action(
    v.strictObject({
      task: filled(200),
      session: filled(200),
      to: v.picklist(["worker", "manager"]),
      how: v.picklist(["now", "queue"]),
      message: filled(),
    }),
    async ({ cx, store }, input) => {
      if (input.how === "queue") {
        const queued = enqueue(store, input.to === "worker" ? "nudge_worker" : "notify_manager", {
          task: needTask(store, input.task).id,
          message: input.message,
        });
        return {
          said: `The message to the ${input.to} waits for Dispatch.`,
          wrote: [`commands ${queued.command_id}`],
          result: { correlation: queued.correlation_id },
        };
      }
      const sent = await nudgeSession(cx, store, { name: input.session, text: input.message, dryRun: false, origin: VIA });
      if (sent.parked !== null) return { said: `The message waits: ${sent.parked.why}.`, wrote: [`commands ${sent.parked.command_id}`] };
      return {
        said: `The message was sent to ${input.session} ${PROOFS[sent.proof] ?? ""}.`.replace(" ;", ";"),
        wrote: sent.delivery_id === null ? [] : [`deliveries ${sent.delivery_id}`],
      };
    },
  ),

  interrupt: action(v.strictObject({ session: filled(200), followup: v.optional(v.string()) }), async ({ cx, store }, input) => {
    const done = await interruptSession(cx, store, {
      name: input.session,
      key: undefined,
      followup: input.followup?.trim() || null,
      dryRun: false,
      origin: VIA,
    });
    return { said: done.sent ? `${input.session} was interrupted with ${done.key}.` : `${input.session} is idle, so no key was pressed.` };
  }),
};
