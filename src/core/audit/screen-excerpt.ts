/** The few lines of a captured screen that say what was being done. */
import { isObject } from "../json.ts";
import { neutral, quote } from "./replay.ts";

const LAST = 12;
const FALLBACK = 4;
const MAX = 320;
/** A bullet, a prompt mark, or a verb of work. */
const TELLING =
  /^\s*(?:[•●◦▪‣*–—└│>›❯$%#-]|(?:Ran|Run|Running|Edited|Added|Built|Created|Deleted|Removed|Updated|Wrote|Read|Explored|Searched|Tested|Fixed|Committed|Pushed|Merged|Installed|Working|Worked)\b)/;

/** Of the last lines with text those that tell of work, else the very last ones. */
export function screenExcerpt(content: string): string {
  const lines = content
    .split(/\r\n|\r|\n/)
    .filter((line) => line.trim() !== "")
    .slice(-LAST);
  const telling = lines.filter((line) => TELLING.test(line));
  return neutral(quote((telling.length > 0 ? telling : lines.slice(-FALLBACK)).map((line) => line.trim()).join(" | "), MAX));
}

/** What the classifier said of the screen: the pattern it waits in, else how far it has started, else how long it is. */
export function screenVerdict(classifier: unknown, lines: number): string {
  if (isObject(classifier)) {
    const { busy_wait, startup } = classifier;
    if (isObject(busy_wait) && typeof busy_wait.pattern === "string") return neutral(busy_wait.pattern);
    const state = Array.isArray(startup) ? startup[0] : startup;
    if (typeof state === "string") return state;
  }
  return `${lines} ${lines === 1 ? "line" : "lines"}`;
}
