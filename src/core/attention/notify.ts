/** Rules by which a person is told of what needs them, and when one of them is due for an item. */
import * as v from "valibot";
import { instant } from "../time.ts";
import { type Item, KINDS } from "./item.ts";

/** How a person is told: their terminals ring, their desktop shows it, or a program of theirs gets it. */
const way = v.variant("way", [
  v.object({ way: v.literal("bell") }),
  v.object({ way: v.literal("desktop") }),
  v.object({
    way: v.literal("program"),
    /** Its absolute path, as it was found when the rule was made, and its arguments. */
    argv: v.pipe(
      v.array(v.string()),
      v.minLength(1),
      v.check(([program]) => program!.startsWith("/"), "the program has no absolute path"),
    ),
  }),
]);

const seconds = v.pipe(v.number(), v.finite(), v.minValue(0));

const rule = v.object({
  id: v.pipe(v.string(), v.regex(/^notify-[0-9a-z-]+$/)),
  /** Kinds of items; null: those that press now. */
  on: v.nullable(v.pipe(v.array(v.string()), v.minLength(1))),
  after_seconds: seconds,
  repeat_seconds: v.nullable(v.pipe(seconds, v.minValue(1))),
  added_at: v.string(),
  how: way,
});

/** What stands in a file of a rule; null when it is no rule that this version knows. */
export const ruleIn = (value: unknown): Rule | null => {
  const parsed = v.safeParse(rule, value);
  return parsed.success ? parsed.output : null;
};

export type Way = v.InferOutput<typeof way>;
export type Rule = v.InferOutput<typeof rule>;

/** What is not a kind that this version knows. @param words as they were typed, with commas between */
export function kindsOf(words: string): { readonly kinds: string[] } | { readonly unknown: string } {
  const kinds = [...new Set(words.split(",").map((word) => word.trim()))].filter((word) => word !== "");
  const unknown = kinds.find((kind) => !(KINDS as readonly string[]).includes(kind));
  return unknown === undefined ? { kinds } : { unknown };
}

/** How a rule was carried out last for an item. */
export interface LastNotice {
  readonly nth: number;
  readonly claimed_at: string;
}

/** Whether a rule is for an item at all. */
export const wants = ({ on }: Pick<Rule, "on">, { kind, weight }: Pick<Item, "kind" | "weight">): boolean =>
  on === null ? weight === "now" : on.includes(kind);

/**
 * Which notice of a rule is due for an item that lasts: its number and when; null: none will be by time alone.
 * @param sinceMs since when the item has lasted; @param last the newest notice of the rule for it
 */
export function nextNotice(
  { after_seconds, repeat_seconds }: Pick<Rule, "after_seconds" | "repeat_seconds">,
  sinceMs: number,
  last: LastNotice | null,
): { readonly nth: number; readonly atMs: number } | null {
  if (last === null) return { nth: 1, atMs: sinceMs + after_seconds * 1000 };
  if (repeat_seconds === null) return null;
  return { nth: last.nth + 1, atMs: (instant(last.claimed_at) ?? 0) + repeat_seconds * 1000 };
}

/** What a program gets on its standard input. */
export const noticeOf = (
  {
    id,
    kind,
    weight,
    task,
    session,
    text,
    since,
    actions,
  }: Pick<Item, "id" | "kind" | "weight" | "task" | "session" | "text" | "since" | "actions">,
  host: string,
) => ({ id, kind, weight, task, session, text, since, actions, host });

export type Notice = ReturnType<typeof noticeOf>;

/** How a rule is called in a sentence. */
export function wayText(how: Way): string {
  if (how.way === "bell") return "the terminals ring";
  if (how.way === "desktop") return "the desktop shows it";
  return how.argv.join(" ");
}
