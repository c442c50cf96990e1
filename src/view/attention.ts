/** What needs a person, for a person. */
import type { Item } from "../core/attention/item.ts";
import { quoteCommand } from "../core/shell.ts";
import { instant } from "../core/time.ts";

interface Told {
  readonly counts: { readonly now: number; readonly soon: number };
  readonly items: readonly Item[];
}

/** Further lines of what somebody else wrote are set in, and pass for none of ours. */
const within = (text: string): string => `      | ${text.replaceAll("\n", "\n      | ")}`;

const UNITS = [
  [86_400, "d"],
  [3600, "h"],
  [60, "min"],
] as const;

/** How long something lasts, in one unit. */
export function age(since: string | null, nowMs: number): string | null {
  const from = instant(since);
  if (from === null) return null;
  const seconds = Math.max(0, Math.floor((nowMs - from) / 1000));
  const [length, unit] = UNITS.find(([each]) => seconds >= each) ?? [1, "s"];
  return `for ${Math.floor(seconds / length)} ${unit}`;
}

function itemText(item: Item, nowMs: number): string {
  const { weight, text, command, file, task, since, resets_at, actions } = item;
  const about = [task, age(since, nowMs), resets_at === null ? null : `until ${resets_at}`].filter((each) => each !== null);
  const whole = command ?? file;
  const lines = actions.map((action) => ({ line: quoteCommand(action.command), label: action.label }));
  const width = Math.max(...lines.map(({ line }) => line.length));
  return [
    `${weight === "now" ? "!" : "·"} ${text}${about.length === 0 ? "" : ` (${about.join(", ")})`}`,
    // In the sentence it stands in one line.
    ...(whole === null || text.endsWith(whole) ? [] : [within(whole)]),
    ...lines.map(({ line, label }) => `    ${line.padEnd(width)}  ${label}`),
  ].join("\n");
}

/** The most pressing first, each with the commands that lead on. */
export function attentionText({ counts, items }: Told, nowMs: number): string {
  if (items.length === 0) return "Nothing needs you.";
  const sum = [counts.now > 0 ? `${counts.now} now` : "", counts.soon > 0 ? `${counts.soon} soon` : ""].filter((part) => part !== "");
  return [`Needs you: ${sum.join(", ")}.`, ...items.map((item) => itemText(item, nowMs))].join("\n\n");
}
