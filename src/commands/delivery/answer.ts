/** `answer`: what a session asks, and the answer to it. */
import { jsonFlag, pathFlag, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { UsageError } from "../../core/failure.ts";
import { answerAsk } from "../../flow/delivery/answer.ts";
import { askText } from "../../view/asks.ts";

export default verb(
  {
    about:
      "Answers what a session asks by its agent's protocol: a command that it may or may not run, a question with choices. Without a " +
      "choice it shows what is asked. The first answer wins, this one or that of the person at the terminal. Which it was is told and " +
      "recorded as soon as the record of the session shows what was done: of what is declined at once, of a command when it has run. " +
      "A person may answer, and the manager of the task whom a person granted operator.answer; never the session itself.",
    examples: [
      ["answer worker-1", "what it asks, and what may be chosen"],
      ["answer worker-1 yes", "let it run the command"],
      ['answer worker-1 no --reason "not on this machine"', "and why, for the record"],
      ['answer worker-1 --text "the second one, but without tests"', "words of one's own, where the question takes them"],
    ],
    positionals: {
      target: word("a registered session, or the id of what is asked"),
      choice: word("yes, no, a number, or a choice's word; a number with a dot, as `attention` writes it, is only its place", {
        optional: true,
      }),
    },
    flags: {
      text: text("words of one's own as the answer", { value: "TEXT", filled: true }),
      reason: text("why, for the record", { value: "TEXT" }),
      json: jsonFlag,
      path: pathFlag,
    },
  },
  async (args, cx: Context) => {
    if (args.choice !== undefined && args.text !== undefined) throw new UsageError("a choice and --text are two answers: give one");
    const done = await answerAsk(cx, cx.store(args.path), {
      target: args.target,
      choice: args.choice,
      text: args.text,
      reason: args.reason ?? null,
    });
    if (cx.outside.tty.out && !args.json) cx.out(askText(cx.program, done));
    else cx.json(done);
    if (done.choice === null || done.answered_by === "us") return 0;
    // What is allowed shows once it is through; what is not would have shown by now.
    return done.proof === "pending" && done.choice !== "no" ? 0 : 1;
  },
);
