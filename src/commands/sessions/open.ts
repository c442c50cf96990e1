/** `open`: a terminal window on the tmux session of a worker or session, once. */
import { flag, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { Failure } from "../../core/failure.ts";
import { parseEvents } from "../../core/compat/log.ts";
import { quoteCommand, quoteWord } from "../../core/shell.ts";
import { openFlags, openPlace } from "../../flow/sessions/open.ts";
import { needShown } from "../../flow/reach/pane.ts";
import { needSubject } from "../../flow/reach/subject.ts";
import { appendCompatEvent, readCompatText } from "../../system/compat-worker.ts";
import { attachWords } from "../../system/terminal/terminal.ts";

export default verb(
  {
    about:
      "Opens a terminal window that is attached to the tmux session of a worker or session. A " +
      "second window needs --force. Without a display it fails and tells how to attach by hand.",
    examples: [
      ["open worker-1", "open a window"],
      ["open worker-1 --dry-run", "print the attach command and what would be started"],
    ],
    positionals: { name: word("a worker or a registered session") },
    flags: {
      ...openFlags,
      force: flag("open another window although one was opened before"),
    },
  },
  async (args, cx: Context) => {
    const subject = needSubject(cx, cx.store(args.path), args.name);
    await needShown(cx, subject);
    const before = parseEvents(readCompatText(cx.stateRoot, subject.name, "events.jsonl") ?? "").events.findLast(
      (event) => event.type === "open" || event.type === "open_attempt",
    );
    if (before && !args.force) {
      const attach = quoteCommand(attachWords(cx.env, subject.tmuxSession!));
      throw new Failure(`a window on ${JSON.stringify(subject.name)} was opened before, at ${String(before.time)}: ${attach}`, {
        hint: `${cx.program} open ${quoteWord(args.name)} --force`,
      });
    }
    const log = (type: string, terminal: string) =>
      appendCompatEvent(cx.stateRoot, subject.name, { time: cx.now(), type, forced: args.force, terminal });
    const opening = await openPlace(cx, subject, args, async (launch, { terminal }) => {
      log("open_attempt", terminal);
      await launch();
      log("open", terminal);
    });
    cx.json({ ...opening, force: args.force, name: subject.name });
  },
);
