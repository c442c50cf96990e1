/** `cycle`: one observation of a bound task, for its manager to decide by. */
import { flag, integer, jsonFlag, pathFlag, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { looksForManager, runCycle } from "../../flow/observe/cycle.ts";

export default verb(
  {
    about:
      "Reads the worker's rollout and screen, tells its state, how its turn stands and what waits on its screen, and gives " +
      "everything the manager needs to decide. It decides nothing itself; each cycle is on record with the time of its phases. " +
      "Messages that wait for the manager count as read by it, and are printed; a person who looks from a terminal leaves them.",
    examples: [["cycle login-fix", "state, turn, pane_signal, manager_context"]],
    positionals: { task: word("a bound task, by name or id") },
    flags: {
      busyWaitSeconds: integer("a younger state than this makes every waiting pattern silent", { default: 90, value: "SECONDS" }),
      consume: flag("take the messages that wait for the manager, whoever asks"),
      noConsume: flag("leave the messages that wait for the manager"),
      json: jsonFlag,
      path: pathFlag,
    },
    exclusive: [{ of: ["consume", "noConsume"] }],
  },
  async (args, cx: Context) => {
    const store = cx.store(args.path);
    const { task, busyWaitSeconds } = args;
    const consume = args.consume || (!args.noConsume && (await looksForManager(cx, store, task)));
    await runCycle(cx, store, { task, busyWaitSeconds, consume, tell: cx.json });
  },
);
