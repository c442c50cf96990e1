/** `attention`: everything that needs a person, over all tasks. */
import { flag, number, pathFlag, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { STALLED_AFTER_SECONDS } from "../../core/attention/situation.ts";
import { type Attention, attend } from "../../flow/attention/attend.ts";
import { Look } from "../../flow/attention/look.ts";
import { watchAttention } from "../../flow/attention/watch.ts";
import { onStop } from "../../system/processes/this-process.ts";
import { attentionText } from "../../view/attention.ts";

export default verb(
  {
    about:
      "Tells what needs a person, over all tasks and the most pressing first. Now: a question with the whole command or file that it is " +
      "about, a page that asks for trust or a sign-in, a spent limit, a turn or a message that failed, a session that died, a message " +
      "that may not have arrived, a blocked command, messages with no Dispatch to carry them. Soon: a pair that has rested for long, a " +
      "worker without a manager that has ended its turn, a stale proof, proposals, a spent budget. Each names the commands that lead on. " +
      "In JSON, command is what would be run, file what would be written; both are null where something else is asked. The id of a " +
      "question is the one that answer takes; every id stays the same while its fact lasts and is never used again. host is null: this " +
      "machine.",
    examples: [
      ["attention", "what waits for you"],
      ["attention --watch", "the same again whenever it changes"],
      ["attention --watch --json", "one JSON object a line, for a program"],
    ],
    flags: {
      watch: flag("go on, and tell at each change"),
      stalledAfter: number("a pair that rests for longer is stalled", { default: STALLED_AFTER_SECONDS, value: "SECONDS" }),
      json: flag("print JSON (the default where it is no terminal that reads)"),
      path: pathFlag,
    },
  },
  async (args, cx: Context) => {
    const scene = { cx, store: cx.store(args.path) };
    const look = new Look(cx, scene.store);
    const isForPeople = cx.outside.tty.out && !args.json;
    if (!args.watch) {
      const { told } = await attend(scene, look, args.stalledAfter);
      if (isForPeople) cx.out(attentionText(told, cx.nowMs()));
      else cx.json(told);
      return;
    }
    const show = (told: Attention): void => {
      if (isForPeople) cx.out(`— ${told.generated_at}\n${attentionText(told, cx.nowMs())}\n`);
      else cx.jsonLine(told);
    };
    const stop = new AbortController();
    const release = onStop(() => stop.abort());
    const problem = (message: string): void => cx.err(`${cx.program} attention: ${message}`);
    try {
      await watchAttention(scene, look, { stalledAfterSeconds: args.stalledAfter, signal: stop.signal, show, problem });
    } finally {
      release();
    }
  },
);
