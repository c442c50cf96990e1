/** `qa-plan`: a checklist that leads through a scenario by hand. */
import { choiceWord, flag, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { QA_SCENARIOS, qaPlan } from "../../core/qa/plan.ts";
import { qaPlanText } from "../../view/qa-plan.ts";

export default verb(
  {
    about:
      "Prints a checklist for trying a scenario by hand: the steps with their " +
      "commands, what must be seen, and the correlation ids to use. Runs nothing.",
    examples: [
      ["qa-plan", "a worker and a manager, from start to audit"],
      ["qa-plan ralph-loop --json", "the loop drill, with its markers and an evidence template"],
    ],
    positionals: { scenario: choiceWord("which scenario", QA_SCENARIOS, { default: "self-management" }) },
    flags: { json: flag("print JSON") },
  },
  (args, cx: Context) => {
    const plan = qaPlan(args.scenario);
    if (args.json) cx.json(plan);
    else cx.out(qaPlanText(plan));
  },
);
