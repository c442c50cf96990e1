/** `start-test`: a worker made only to see whether everything works. */
import { verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { TEST_TASK } from "../../core/compat/worker-contract.ts";
import { createFlags, runCreate } from "../../flow/compat/create-command.ts";

export default verb(
  {
    about:
      "Makes a worker as create does, with a harmless task, waits until " +
      "the agent is ready and until the worker has reported a status by itself.",
    examples: [["start-test --accept-trust --stop-after", "try it and leave nothing running"]],
    positionals: { name: word("name of the worker", { default: "live-test" }) },
    flags: createFlags,
  },
  (args, cx: Context) => runCreate(cx, { ...args, task: args.task ?? TEST_TASK, sendContract: true, waitReady: true, verify: true }),
);
