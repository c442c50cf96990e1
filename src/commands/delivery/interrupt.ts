/** `interrupt`: interrupts a compatibility worker or a registered session and asks it to pause. */
import { flag, jsonFlag, pathFlag, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { needKeyName } from "../../core/delivery/key-name.ts";
import { interrupt } from "../../flow/delivery/interrupt.ts";
import { recipientOfSubject } from "../../flow/reach/recipient.ts";
import { needSubject } from "../../flow/reach/subject.ts";
import { appendCompatEvent } from "../../system/compat-worker.ts";

const PAUSE = "Please pause and update status.json with what was interrupted, whether you are blocked, and the next safe action.";

export default verb(
  {
    about:
      "Interrupts what a worker does and then sends a message, by default a request to pause and report. Without " +
      "--key that goes by the agent's own protocol where its launch is protocol, else by the key that interrupts the program in its " +
      "pane: Escape for an agent, C-c for anything else.",
    examples: [
      ["interrupt w1", "stop and ask for a status"],
      ["interrupt w1 --no-followup", "only the key"],
    ],
    positionals: { name: word("a worker or a registered session") },
    flags: {
      key: text("key to press, as tmux names it (default: what interrupts the program there)", { value: "KEY", filled: true }),
      followup: text("message to send afterwards", { default: PAUSE, value: "TEXT" }),
      noFollowup: flag("send no message"),
      dryRun: flag("say what would be pressed; the terminal must run all the same"),
      json: jsonFlag,
      path: pathFlag,
    },
  },
  async (args, cx: Context) => {
    needKeyName(args.key);
    const store = cx.store(args.path);
    const subject = needSubject(cx, store, args.name);
    const followup = args.noFollowup ? null : args.followup;
    const done = await interrupt(cx, store, recipientOfSubject(subject), {
      key: args.key,
      followup,
      dryRun: args.dryRun,
      origin: "interrupt",
    });
    const told = { key: done.key, followup, dry_run: args.dryRun };
    if (!args.dryRun) appendCompatEvent(cx.stateRoot, args.name, { time: cx.now(), type: "interrupt", ...told, sent: done.sent });
    const after = done.followup_proof === null ? "" : "; the message was sent all the same";
    if (!done.sent && !args.dryRun) cx.err(`note: ${args.name} is idle, no key was pressed${after}`);
    cx.json({ name: args.name, time: cx.now(), ...told, sent: done.sent });
  },
);
