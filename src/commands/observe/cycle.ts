/** `cycle`: one observation of a bound task, for its manager to decide by. */
import { integer, jsonFlag, pathFlag, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { runCycle } from "../../flow/observe/cycle.ts";

export default verb(
  {
    about:
      "Reads the worker's rollout and screen, tells its state, how its turn stands and what waits on its screen, and gives " +
      "everything the manager needs to decide. It decides nothing itself; each cycle is on record with the time of its phases.",
    examples: [["cycle login-fix", "state, turn, pane_signal, manager_context"]],
    positionals: { task: word("a bound task, by name or id") },
    flags: {
      busyWaitSeconds: integer("a younger state than this makes every waiting pattern silent", { default: 90, value: "SECONDS" }),
      json: jsonFlag,
      path: pathFlag,
    },
  },
  async (args, cx: Context) => cx.json(await runCycle(cx, cx.store(args.path), { task: args.task, busyWaitSeconds: args.busyWaitSeconds })),
);
