/** `cycle`: one observation of a bound task, or of all that a manager leads, for its manager to decide by. */
import { flag, integer, jsonFlag, pathFlag, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { UsageError } from "../../core/failure.ts";
import type { Session } from "../../core/sessions/session.ts";
import { needCrew } from "../../flow/crew/crew.ts";
import { runCycles } from "../../flow/crew/cycles.ts";
import { looksFor, runCycle } from "../../flow/observe/shown-cycle.ts";
import { needPairing } from "../../store/sessions/bindings.ts";
import { needTask } from "../../store/tasks/tasks.ts";

export default verb(
  {
    about:
      "Reads the worker's rollout and screen, tells its state, how its turn stands and what waits on its screen, and gives " +
      "everything the manager needs to decide. It decides nothing itself; each cycle is on record with the time of its phases. " +
      "Messages that wait for the manager count as read by it, and are printed; a person who looks from a terminal leaves them. " +
      "With --manager it observes every task that this manager leads, and adds what in them needs a person: one look for a whole crew. " +
      "A task that cannot be observed stands under failed, and the exit code is 1; the others are observed all the same.",
    examples: [
      ["cycle login-fix", "state, turn, pane_signal, manager_context"],
      ["cycle --manager manager-1", "the same of every task that manager-1 leads"],
    ],
    positionals: { task: word("a bound task, by name or id", { optional: true }) },
    flags: {
      manager: text("every task that this manager leads, instead of one", { value: "NAME", filled: true }),
      busyWaitSeconds: integer("a younger state than this makes every waiting pattern silent", { default: 90, value: "SECONDS" }),
      consume: flag("take the messages that wait for the manager, whoever asks"),
      noConsume: flag("leave the messages that wait for the manager"),
      json: jsonFlag,
      path: pathFlag,
    },
    exclusive: [{ of: ["consume", "noConsume"] }],
  },
  async (args, cx: Context) => {
    const { task, busyWaitSeconds } = args;
    const consumes = async (manager: Session): Promise<boolean> => args.consume || (!args.noConsume && (await looksFor(cx, manager)));
    if (args.manager === undefined) {
      if (task === undefined) throw new UsageError("task is missing, or --manager for all of a crew");
      const store = cx.store(args.path);
      const consume = await consumes(needPairing(store, needTask(store, task)).manager);
      await runCycle(cx, store, { task, busyWaitSeconds, consume }, cx.json);
      return 0;
    }
    if (task !== undefined) throw new UsageError("a task and --manager exclude each other");
    const scene = { cx, store: cx.store(args.path) };
    const crew = needCrew(scene, args.manager);
    return (await runCycles(scene, crew, { busyWaitSeconds, consume: await consumes(crew.manager) }, cx.json)) ? 0 : 1;
  },
);
