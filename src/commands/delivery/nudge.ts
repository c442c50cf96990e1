/** `nudge`: says something to a compatibility worker, else to the registered session of that name. */
import { flag, pathFlag, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { Failure } from "../../core/failure.ts";
import { deliver } from "../../flow/delivery/deliver.ts";
import { recipientOfSubject } from "../../flow/reach/recipient.ts";
import { nudgeSession, refuseUndelivered } from "../../flow/delivery/speak.ts";
import { compatSubject } from "../../flow/reach/subject.ts";
import { findSession } from "../../store/sessions/sessions.ts";
import { appendCompatEvent } from "../../system/compat-worker.ts";

export default verb(
  {
    about: "Sends a message to a worker made by create, or to a registered session as session-nudge does.",
    examples: [['nudge w1 "Please update your status"', "a worker made by create"]],
    positionals: { name: word("a worker or a registered session"), message: word("the message; an empty one presses Enter") },
    flags: { json: flag("print JSON"), path: pathFlag },
  },
  async (args, cx: Context) => {
    const { name, message } = args;
    const store = cx.store(args.path);
    const worker = compatSubject(cx.stateRoot, name);
    if (worker === null) {
      if (findSession(store, name) === null) {
        throw new Failure(`there is no worker and no registered session ${JSON.stringify(name)}`, {
          hint: `${cx.program} sessions --state all; ${cx.program} list`,
        });
      }
      return cx.json(await nudgeSession(cx, store, { name, text: message, dryRun: false, origin: "nudge" }));
    }
    refuseUndelivered(await deliver(cx, store, { recipient: recipientOfSubject(worker), text: message, origin: "nudge" }));
    const time = cx.now();
    appendCompatEvent(cx.stateRoot, name, { time, type: "nudge", message });
    if (args.json) return cx.json({ name, message, target: worker.tmuxSession, time });
    cx.out(`nudged ${name} in ${worker.tmuxSession}`);
  },
);
