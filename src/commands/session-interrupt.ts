/** `session-interrupt`: interrupts what a registered session does. */
import { flag, pathFlag, text, verb, word } from "../args/spec.ts";
import type { Context } from "../context.ts";
import { DEFAULT_KEY, interrupt, needTerminal } from "../flow/interrupt.ts";
import { recipientOf } from "../flow/recipient.ts";
import { boundTask, recorded } from "../flow/session-action.ts";
import { refuseUnreachable } from "../flow/speak.ts";

export default verb(
  {
    about:
      "Interrupts the turn of a registered session and may say something afterwards. Without --key the key is what interrupts the program in its pane: Escape for Codex, C-c for anything else; an idle Codex gets none, since C-c would end it.",
    examples: [
      ["session-interrupt worker-1", "stop what it does"],
      ['session-interrupt worker-1 --followup "Stop editing. Report what you changed."', "and say why"],
    ],
    positionals: { name: word("a registered session") },
    flags: {
      key: text("key to press, as tmux names it (default: what interrupts the program there)", { value: "KEY", filled: true }),
      followup: text("message to send afterwards", { value: "TEXT" }),
      dryRun: flag("say what would be pressed; touch nothing"),
      path: pathFlag,
    },
  },
  async (args, cx: Context) => {
    const store = cx.store(args.path);
    const followup = args.followup ?? null;
    let key = args.key ?? DEFAULT_KEY;
    const action = {
      event: "session_interrupted",
      telemetry: "session_interrupt",
      session: args.name,
      dryRun: args.dryRun,
      facts: { followup_length: followup?.length ?? 0 },
      correlation: () => ({ key }),
    };
    const done = await recorded(cx, store, action, async (session) => {
      refuseUnreachable(cx, session);
      // A dry run asks nothing of tmux, so it cannot know what runs in the pane.
      if (args.dryRun) return { key, sent: false, target: needTerminal(recipientOf(session)) };
      const interrupted = await interrupt(cx, store, recipientOf(session), { key: args.key, followup, dryRun: false, origin: "session-interrupt", taskId: boundTask(store, session).taskId });
      key = interrupted.key;
      return interrupted;
    });
    if (!done.sent && !args.dryRun) cx.err(`note: ${args.name} is idle, no key was pressed`);
    cx.json({ session: args.name, followup, dry_run: args.dryRun, time: store.now(), ...done });
  },
);
