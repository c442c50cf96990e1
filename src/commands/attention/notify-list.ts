/** `notify list`: the rules, and how they went on these records. */
import { flag, pathFlag, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { wayText } from "../../core/attention/notify.ts";
import { historyOf, type RuleHistory } from "../../flow/attention/notices.ts";
import { isThere } from "../../system/files/text-file.ts";
import { readRules } from "../../system/notify-rules.ts";

export default verb(
  {
    about:
      "Your rules, and how often each was carried out on these records: sent, failed and why, and unknown where whoever carried it out " +
      "died in it, which is not done again.",
    examples: [["notify list", "what tells you of what, and whether it works"]],
    flags: { json: flag("print JSON"), path: pathFlag },
  },
  async (args, cx: Context) => {
    const rules = readRules(cx.env);
    // Where no records are, none are made.
    const store = isThere(cx.storePath(args.path)) ? cx.store(args.path) : null;
    const listed = await Promise.all(rules.map(async (rule) => ({ ...rule, ...(await historyOf({ cx, store }, rule.id)) })));
    if (args.json) return cx.json({ rules: listed });
    if (listed.length === 0) return cx.err(`No rule: ${cx.program} notify add --desktop`);
    for (const { id, on, how, after_seconds, repeat_seconds, ...history } of listed) {
      const when = [
        ...(after_seconds > 0 ? [`after ${after_seconds} s`] : []),
        ...(repeat_seconds === null ? [] : [`again every ${repeat_seconds} s`]),
      ];
      cx.out([`${id}: ${wayText(how)}`, `for ${on === null ? "what presses now" : on.join(", ")}`, ...when, ...told(history)].join("; "));
    }
  },
);

const told = ({ sent, failed, unknown, last_error }: RuleHistory): string[] => [
  `${sent} sent`,
  ...(failed > 0 ? [`${failed} failed${last_error === null ? "" : `, the last: ${last_error}`}`] : []),
  ...(unknown > 0 ? [`${unknown} unknown`] : []),
];
