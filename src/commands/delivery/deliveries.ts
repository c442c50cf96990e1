/** `deliveries`: what was sent to sessions, by which rung, with what evidence, and what is still uncertain. */
import { flag, integer, pathFlag, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { Failure } from "../../core/failure.ts";
import { settleAll } from "../../flow/delivery/settle.ts";
import { type Delivery, deliveryById, deliverySteps, listDeliveries } from "../../store/deliveries.ts";
import { digestOf } from "../../store/dispatch/digests.ts";
import type { Store } from "../../store/store.ts";
import { findSession } from "../../store/sessions/sessions.ts";
import { findNewestTask } from "../../store/tasks/tasks.ts";
import { deliveryLine, deliveryStory } from "../../view/dispatch/deliveries.ts";

const shownOf = (store: Store, { session_name, side_effect_started, side_effect_completed, ...rest }: Delivery) => ({
  ...rest,
  digest: digestOf(store, rest),
  session: session_name,
  side_effect_started: side_effect_started === 1,
  side_effect_completed: side_effect_completed === 1,
  uncertain: rest.state === "sending" || rest.state === "typed" || rest.state === "unknown",
});

export default verb(
  {
    about:
      "Lists what was sent to sessions, youngest first: by the agent's own protocol, queue or inbox, by tmux, or left for the inbox; " +
      "delivered with its proof, or still open; `digest` names what was said together as one message. Open ones are looked for in the " +
      "receiver's rollout first; this sends nothing.",
    examples: [
      ["deliveries worker-1", "what was said to a session"],
      ["deliveries --explain delivery-…", "every step of one sending"],
    ],
    positionals: { about: word("a task or a session", { optional: true, value: "TASK|SESSION" }) },
    flags: {
      explain: text("every step and the evidence of this delivery", { value: "ID", filled: true }),
      limit: integer("how many of the youngest", { default: 50, value: "N" }),
      json: flag("print JSON"),
      path: pathFlag,
    },
  },
  (args, cx: Context) => {
    const store = cx.store(args.path);
    settleAll(cx, store);
    const shown = (delivery: Delivery) => shownOf(store, delivery);
    if (args.explain !== undefined) {
      const delivery = deliveryById(store, args.explain);
      if (delivery === null) throw new Failure(`unknown delivery ${JSON.stringify(args.explain)}`, { hint: `${cx.program} deliveries` });
      const steps = deliverySteps(store, delivery.id);
      if (args.json) cx.json({ ...shown(delivery), steps });
      else cx.out(deliveryStory(shown(delivery), steps));
      return;
    }
    const task = args.about === undefined ? null : findNewestTask(store, args.about);
    const rows = listDeliveries(store, { name: args.about, taskId: task?.id, limit: args.limit });
    if (args.about !== undefined && task === null && rows.length === 0 && findSession(store, args.about) === null) {
      throw new Failure(`there is no task and no session ${JSON.stringify(args.about)}`, { hint: `${cx.program} deliveries` });
    }
    if (args.json) cx.json(rows.map(shown));
    else for (const row of rows) cx.out(deliveryLine(shown(row)));
  },
);
