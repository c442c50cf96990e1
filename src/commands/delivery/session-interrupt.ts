/** `session-interrupt`: interrupts what a registered session does. */
import { flag, jsonFlag, pathFlag, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { needKeyName } from "../../core/delivery/key-name.ts";
import { interruptSession } from "../../flow/delivery/session-interrupt.ts";

export default verb(
  {
    about:
      "Interrupts the turn of a registered session and may say something afterwards. Without --key that goes by the agent's own protocol " +
      "where its launch is protocol, else by the key that interrupts the program in its pane: Escape for an agent, C-c for anything " +
      "else; an idle agent gets none.",
    examples: [
      ["session-interrupt worker-1", "stop what it does"],
      ['session-interrupt worker-1 --followup "Stop editing. Report what you changed."', "and say why"],
    ],
    positionals: { name: word("a registered session") },
    flags: {
      key: text("key to press, as tmux names it (default: what interrupts the program there)", { value: "KEY", filled: true }),
      followup: text("message to send afterwards", { value: "TEXT" }),
      dryRun: flag("say what would be pressed; touch nothing"),
      json: jsonFlag,
      path: pathFlag,
    },
  },
  async (args, cx: Context) => {
    needKeyName(args.key);
    const store = cx.store(args.path);
    const followup = args.followup ?? null;
    const done = await interruptSession(cx, store, {
      name: args.name,
      key: args.key,
      followup,
      dryRun: args.dryRun,
      origin: "session-interrupt",
    });
    if (!done.sent && !args.dryRun)
      cx.err(`note: ${args.name} is idle, no key was pressed${done.followup_proof === null ? "" : "; the follow-up was said"}`);
    cx.json({ session: args.name, followup, dry_run: args.dryRun, time: store.now(), ...done });
  },
);
