/** `stop`: ends the terminal of a compatibility worker or a registered session. */
import { flag, pathFlag, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { stopNamed } from "../../flow/sessions/stop.ts";

export default verb(
  {
    about:
      "Ends the terminal of a worker or a registered session, which is gone afterwards: its pane, wherever that is now, and " +
      "the agent in it; other panes of the tmux session stay. With --message it is told first, and the message is given a " +
      "moment to be read. What does not run any more is only recorded as stopped. What a start that was cut off has left under " +
      "this name is ended as well.",
    examples: [
      ["stop w1", "end it"],
      ['stop worker-1 --message "Thank you, we are done."', "say something first"],
    ],
    positionals: { name: word("a worker or a registered session") },
    flags: { message: text("what to say before", { value: "TEXT" }), json: flag("print JSON"), path: pathFlag },
  },
  async (args, cx: Context) => {
    const store = cx.store(args.path);
    const stopped = await stopNamed({ cx, store }, args.name, args.message ?? null);
    if (args.json) return cx.json(stopped);
    const { name, tmux_session, killed_session } = stopped;
    cx.out(
      killed_session
        ? `stopped ${name}: its terminal (tmux session ${tmux_session}) and what ran in it have ended`
        : `${name} was not running any more (tmux session ${tmux_session})`,
    );
  },
);
