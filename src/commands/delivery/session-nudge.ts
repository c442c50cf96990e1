/** `session-nudge`: says something to a registered session, with proof. */
import { flag, jsonFlag, pathFlag, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { nudgeSession } from "../../flow/delivery/speak.ts";

export default verb(
  {
    about:
      "Sends a text to a registered session as one user message and looks for it in the session's rollout. A session whose launch is " +
      "protocol takes it whatever its terminal shows; into any other it is typed, and where a person's half-typed words or a dialog are " +
      "in front, it goes by the agent's own queue or inbox. The exit is 1 unless the text arrived or waits in a busy session.",
    examples: [
      ['session-nudge worker-1 "Run the tests again and report"', "a message to a worker"],
      ['session-nudge worker-1 -- "-v is missing in the command"', "a text that begins with a dash"],
    ],
    positionals: { name: word("a registered session"), text: word("the message; where no agent runs, an empty one presses Enter") },
    flags: {
      steer: flag("only into the turn that runs, at its next step (a session whose launch is protocol)"),
      dryRun: flag("say what would be sent; ask and touch nothing"),
      json: jsonFlag,
      path: pathFlag,
    },
  },
  async (args, cx: Context) =>
    cx.json(
      await nudgeSession(cx, cx.store(args.path), {
        name: args.name,
        text: args.text,
        dryRun: args.dryRun,
        origin: "session-nudge",
        steer: args.steer,
      }),
    ),
);
