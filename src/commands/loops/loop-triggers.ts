/** `loop-triggers`: the controlled phrases of loops, and whether a prompt holds one. */
import { flag, text, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { classifyPrompt, LOOP_TRIGGERS } from "../../core/loops/triggers.ts";

export default verb(
  {
    about:
      "Lists the controlled phrases that may create loop policy or gates, or says whether " +
      "a prompt holds one. Everything else is ordinary prose and must create neither.",
    examples: [
      ["loop-triggers", "all phrases"],
      ["loop-triggers --classify 'Do not finish until you have tried to disprove it.' --json", "what a prompt asks for, for a script"],
    ],
    flags: {
      list: flag("list the trigger families (the default)"),
      classify: text("look for a trigger in this text", { value: "TEXT" }),
      json: flag("print JSON"),
    },
    exclusive: [{ of: ["list", "classify"] }],
  },
  (args, cx: Context) => {
    if (args.classify === undefined) {
      if (args.json) return cx.json({ triggers: LOOP_TRIGGERS });
      for (const trigger of LOOP_TRIGGERS) cx.out(`${trigger.name}\t${trigger.canonical_phrase}`);
      return;
    }
    const trigger = classifyPrompt(args.classify);
    const guidance = trigger
      ? "Follow the operator actions in their order and keep the receipt of each."
      : "No controlled phrase: treat this as ordinary prose and create neither policy nor gates.";
    if (args.json) return cx.json({ matched: trigger !== null, matched_trigger: trigger, prompt: args.classify, guidance });
    if (!trigger) return cx.out(guidance);
    cx.out(`${trigger.name}\t${trigger.intent}`);
    for (const action of trigger.operator_actions) cx.out(`  ${action}`);
  },
);
