/** Verdicts on a screen's text by words that stand on it: how far a start has come, and whether it waits for somebody. */
import { LIVELY, waits } from "../agent/waits.ts";
import type { Finding, PageName, Screen, StartupVerdict, WaitQuestion } from "../agent/screen.ts";

const trustWords = ["do you trust the contents of this directory", "trust this folder?"];
const has = (text: string, words: readonly string[]): boolean => words.some((word) => text.includes(word));

/**
 * The footer of a composer that stands for some seconds before Codex is up, and before it asks whether to trust the folder: one hint and
 * nothing else. Later a status line or more hints stand beside it, whatever is configured.
 */
export const isEarlyFooter = (rows: readonly string[]): boolean => rows.length === 1 && rows[0]!.trim() === "? for shortcuts";

/** The line on which a composer begins in a screen without styles, or -1; a choice is none, and below a composer stands its footer. */
const composerAt = (lines: readonly string[]): number => {
  const at = lines.findLastIndex((line) => line.startsWith("›"));
  const footed = lines
    .slice(at + 1)
    .some((line, index, below) => line.trim() === "" && below.slice(index).some((each) => each.trim() !== ""));
  return at < 0 || !footed || /^› \d+\. /.test(lines[at]!) ? -1 : at;
};

const lastParagraph = (text: string): string[] =>
  text
    .trimEnd()
    .split(/\n[^\S\n]*\n/)
    .at(-1)!
    .split("\n");

/** The first rule that fits decides. */
export function startupVerdict(screen: string): StartupVerdict {
  const text = screen.toLowerCase();
  if (has(text, trustWords) && composerAt(text.split("\n")) < 0)
    return { state: "needs_trust", reason: "Codex asks whether to trust the folder" };
  if (isEarlyFooter(lastParagraph(text))) return { state: "starting", reason: "Codex is still coming up" };
  if (text.includes("openai codex") && text.includes("›")) return { state: "ready", reason: "Codex shows its prompt" };
  if (text.includes("working") && text.includes("esc to interrupt")) return { state: "working", reason: "Codex is working" };
  if (has(text, ["error", "failed"])) return { state: "error", reason: "the screen speaks of an error" };
  return { state: "starting", reason: text.trim() === "" ? "the screen is blank" : "the screen shows nothing that is known" };
}

/** Only the end of a screen asks anything; above it stand pages that were answered. */
const WINDOW = 12;

/** A page in front that asks, as what is waited for. */
const pagePatterns: Readonly<Partial<Record<PageName, string>>> = {
  command_approval: "approval_prompt",
  folder_trust: "trust_prompt",
  rate_limit: "rate_limit_prompt",
};

interface Rule extends Finding {
  fits(window: readonly string[], question: WaitQuestion): boolean;
}

const marked =
  (...words: string[]) =>
  (window: readonly string[]): boolean =>
    window.some((line) => has(line, words));

/** Our own output, seen in a pane, speaks of these patterns without being one. */
const ownWords = ["approval_prompt", "inspect_or_approve", "notable_pane_pattern"];

function asksApproval(window: readonly string[]): boolean {
  const text = window.filter((line) => !has(line, ownWords)).join("\n");
  return (
    has(text, ["approval", "approve"]) &&
    has(text, ["allow", "deny", "permission", "requires approval", "needs approval", "approve command"])
  );
}

const rules: readonly Rule[] = [
  { ...waits.mcp, fits: marked("starting mcp servers") },
  { ...waits.rateLimit, fits: marked("approaching rate limits") },
  { ...waits.enter, fits: marked("press enter to confirm") },
  { ...waits.trust, fits: marked(...trustWords) },
  { ...waits.plan, fits: marked("create a plan?") },
  { ...waits.approval, fits: asksApproval },
  {
    ...waits.long,
    fits: (window, { statusAge, busyWaitSeconds, recentEvents = 0 }) =>
      statusAge !== null && statusAge >= busyWaitSeconds && recentEvents < LIVELY && marked("esc to interrupt")(window),
  },
];

/**
 * What the screen waits for: a page that asks is named by what it is, above a composer no words ask anything, and else the words at the end
 * of the text tell. Null when nothing does or the worker's state is fresh.
 */
export function waitOf(screen: Screen, text: string, question: WaitQuestion): Finding | null {
  const { statusAge, busyWaitSeconds } = question;
  if (statusAge !== null && statusAge < busyWaitSeconds) return null;
  const found = patternIn(text, question);
  const asking = found !== null && asksByWords.has(found.pattern);
  // Above a composer stands a conversation, whose words may be any; what Codex is at stands in its own line, while it is at it.
  const idle = !screen.working && composerAt(text.split(/\r\n|\r|\n/)) >= 0;
  if (!screen.asks) return idle || (asking && screen.composer !== null) ? null : found;
  // A page told by words alone is one pattern among the others, in their order; a dialog stands in front of whatever goes on behind it.
  const before = screen.dialog === null && found?.pattern === "mcp_startup";
  return asking || before ? found : findingOf(rules.find((rule) => rule.pattern === (pagePatterns[screen.page] ?? "enter_to_confirm"))!);
}

/** Patterns that are a page of their own, which hides the composer. */
const asksByWords: ReadonlySet<string> = new Set([
  "rate_limit_prompt",
  "enter_to_confirm",
  "trust_prompt",
  "plan_prompt",
  "approval_prompt",
]);

const findingOf = ({ pattern, reason, recommended_action }: Rule): Finding => ({ pattern, reason, recommended_action });

/** The first pattern, in the order of the rules, that the end of the screen shows. */
function patternIn(screen: string, question: WaitQuestion): Finding | null {
  const lines = screen.split(/\r\n|\r|\n/);
  // What is typed into the composer, and the folder and the name of the thread below it, are nobody's question.
  const composer = composerAt(lines);
  const asking = composer < 0 ? lines : lines.slice(0, composer);
  const window = asking
    .map((line) => line.trim().toLowerCase())
    .filter((line) => line !== "")
    .slice(-WINDOW);
  const rule = rules.find((each) => each.fits(window, question));
  return rule ? findingOf(rule) : null;
}
