/** `create`: a file-backed worker in a tmux session of its own. */
import { flag, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { createFlags, runCreate } from "../../flow/compat/create-command.ts";

export default verb(
  {
    about:
      "Makes a worker that reports through update-status: a folder below the state root, a tmux session " +
      "codex-NAME or claude-NAME, and as its first words the rules of supervision. For sessions with rollouts, start-worker " +
      "is the command. Exit 0 also when waiting or verifying was in vain: the report says so.",
    examples: [
      ["create w1 --task 'Fix the flaky test' --wait-ready", "make it and wait until the agent is ready"],
      ["create w1 --reuse --accept-trust --wait-ready --verify", "take over a stopped one and wait for its first report"],
    ],
    positionals: { name: word("name of the worker") },
    flags: {
      ...createFlags,
      noInitialPrompt: flag("do not send the rules of supervision", { alias: ["no-send-contract"] }),
      waitReady: flag("wait until the agent is ready"),
      verify: flag("wait for its first report of a status"),
    },
  },
  (args, cx: Context) => runCreate(cx, { ...args, sendContract: !args.noInitialPrompt }),
);
