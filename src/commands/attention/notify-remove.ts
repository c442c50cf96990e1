/** `notify remove`: takes a rule away. */
import { flag, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { needPerson, recordsHere } from "../../flow/reach/asker.ts";
import { needRule, removeRule } from "../../system/notify-rules.ts";

export default verb(
  {
    about: "Takes a rule away, by its id. What it has told stays on record.",
    examples: [["notify remove notify-1a2b3c4d", "as notify list calls it"]],
    positionals: { rule: word("its id") },
    flags: { json: flag("print JSON") },
  },
  async (args, cx: Context) => {
    const rule = needRule(cx.env, args.rule, cx.program);
    await needPerson(cx, recordsHere(cx), `takes ${rule.id} away`, `${cx.program} notify remove ${rule.id}`);
    removeRule(cx.env, rule);
    if (args.json) cx.json({ removed: rule.id });
    else cx.out(`${rule.id} is no rule any more`);
  },
);
