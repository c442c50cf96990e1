/** `notify test`: carries a rule out now, with a made-up thing. */
import { flag, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { weightOf } from "../../core/attention/item.ts";
import { noticeOf, wayText } from "../../core/attention/notify.ts";
import { tell } from "../../flow/attention/notify.ts";
import { needRule, readRules } from "../../system/notify-rules.ts";
import { thisHost } from "../../system/processes/this-process.ts";

export default verb(
  {
    about: "Carries a rule out now, or all of them, with a made-up question, and says how it went: exit status 1 when one failed.",
    examples: [["notify test", "every rule, once"]],
    positionals: { rule: word("only the rule of this id", { optional: true }) },
    flags: { json: flag("print JSON") },
  },
  async (args, cx: Context) => {
    const rules = args.rule === undefined ? readRules(cx.env) : [needRule(cx.env, args.rule, cx.program)];
    const kind = "question";
    const made = { id: cx.newId("test"), kind, weight: weightOf(kind), task: null, session: null, since: cx.now(), actions: [] } as const;
    const notice = noticeOf({ ...made, text: "This is only a test of your notices." }, thisHost());
    const results = await Promise.all(rules.map(async (rule) => ({ id: rule.id, how: rule.how, error: await tell(cx, rule, notice) })));
    if (args.json) cx.json({ results });
    else {
      for (const { id, how, error } of results) cx.out(`${id}: ${wayText(how)}: ${error === null ? "it was told" : `failed: ${error}`}`);
      if (results.length === 0) cx.err(`No rule: ${cx.program} notify add --desktop`);
    }
    return results.every(({ error }) => error === null) ? 0 : 1;
  },
);
