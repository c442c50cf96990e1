/** A worker's answer in prose, read for criteria: must-have items and follow-ups. Suggests only. */
import type { CriterionStatus } from "./criteria.ts";

export interface Suggestion {
  readonly criterion: string;
  readonly status: Extract<CriterionStatus, "accepted" | "deferred">;
  readonly source: "worker_proposed";
  readonly rationale: string | null;
}

interface CriteriaPlan {
  readonly suggestions: readonly Suggestion[];
  readonly warnings: readonly string[];
}

type Section = Suggestion["status"];

const FOLLOW_UP = "The worker named it as a later follow-up, outside the current task.";
const LIST_ITEM = /^\s*(?:[-*+]|\d+[.)]|\[[ xX]\])\s+(?:\[[ xX]\]\s+)?(?=\S)/;
const DEFERRED = /\b(?:follow[- ]?ups?|deferred)\b/i;
const ACCEPTED = /\b(?:must[- ]?haves?|current[- ]?tasks?|accepted)\b/i;
const NOTHING = /^(?:n\/a|na|none|nothing|no follow[- ]?ups?|no deferred(?: criteria)?)\.?$/i;

/** Headings are marked (`#`, bold, a final colon) or short and no sentence: prose that merely says "accepted" is not one. */
function looksLikeHeading(line: string): boolean {
  const bare = line.replace(LIST_ITEM, "").trim();
  if (bare.startsWith("#") || bare.endsWith(":") || /^(\*\*|__).+\1$/.test(bare)) return true;
  return bare.split(/\s+/).length <= 6 && !/[.!?;,]$/.test(bare);
}

function headingOf(line: string): Section | null {
  if (!looksLikeHeading(line)) return null;
  const words = line.replace(/^[#*_\s]+|[:*_\s]+$/g, "");
  if (DEFERRED.test(words)) return "deferred";
  return ACCEPTED.test(words) ? "accepted" : null;
}

const itemText = (text: string): string =>
  text
    .trim()
    .replace(/^`+|`+$/g, "")
    .replace(/\s+/g, " ")
    .trim();

/** Reads the answer line by line: headings switch the section, list items in a section are criteria, indented lines continue an item. */
export function planCriteria(answer: string): CriteriaPlan {
  const items: { status: Section; text: string }[] = [];
  let section: Section | null = null;
  let open: { status: Section; text: string } | null = null;
  let headings = 0;
  for (const line of answer.split(/\r?\n/)) {
    const marker = LIST_ITEM.exec(line)?.[0];
    if (line.trim() === "") open = null;
    else if (section && marker !== undefined) {
      open = { status: section, text: line.slice(marker.length) };
      items.push(open);
    } else if (open && /^\s/.test(line)) open.text += ` ${line.trim()}`;
    else {
      open = null;
      const heading = headingOf(line);
      if (heading) {
        section = heading;
        headings++;
      }
    }
  }
  const suggestions = items
    .map(({ status, text }): Suggestion => ({
      criterion: itemText(text),
      status,
      source: "worker_proposed",
      rationale: status === "deferred" ? FOLLOW_UP : null,
    }))
    .filter(({ criterion }) => criterion !== "" && !NOTHING.test(criterion));
  const warnings: string[] = [];
  if (headings === 0)
    warnings.push(
      "No heading for must-have or follow-up criteria was found: ask the worker to list them under the headings Must-have and Follow-up.",
    );
  else if (suggestions.length === 0)
    warnings.push("The headings have no items below them: ask the worker to list each criterion as a list item of its own.");
  return { suggestions, warnings };
}
