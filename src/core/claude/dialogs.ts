/**
 * Pages of a Claude Code terminal that ask something and take every key. They stand at the bottom of the screen, in place of the composer,
 * below a rule that begins in the first column, which no word of a conversation does. A page is told by what stands last on it: its choices
 * and the line that names its keys.
 */
import { CUT, type Dialog, type DialogAnswer, type DialogKind, type PageName } from "../agent/screen.ts";
import { type StyledLine, styledLines } from "../styled-text.ts";
import { type Choice, type FoundChoices, readChoices } from "./choices.ts";

interface DialogPage {
  readonly page: PageName;
  readonly kind: DialogKind;
  /** The first words below the rule. */
  readonly title?: RegExp;
  /** Its choices, each of them. */
  readonly choices?: readonly RegExp[];
  /** All that stands below the choices. */
  readonly keys?: RegExp;
}

const CONFIRM = /^Enter to confirm · Esc to cancel$/;
const SELECT = /^Enter to select\b/;

/** The first that fits all it names. 2.1.332. */
const dialogPages: readonly DialogPage[] = [
  { page: "folder_trust", kind: "other", choices: [/^No, exit$/, /^Yes, I trust this folder$/], keys: CONFIRM },
  { page: "bypass_warning", kind: "other", choices: [/^No, exit$/, /^Yes, I accept$/], keys: CONFIRM },
  { page: "api_key", kind: "other", title: /^Detected a custom API key\b/, keys: CONFIRM },
  { page: "settings_warning", kind: "other", title: /^Settings (Warning|Error)/, keys: CONFIRM },
  { page: "held_message", kind: "held", choices: [/^Deny\b/, /^Deliver\b/] },
  { page: "plan_approval", kind: "plan", title: /^Ready to code\?/ },
  { page: "question", kind: "question", keys: SELECT },
  { page: "question", kind: "question", choices: [/^Submit answers$/, /^Cancel$/] },
  { page: "search", kind: "other", title: /^Search prompts\b/ },
  { page: "sign_in", kind: "other", title: /^(Login|Select login method:)/ },
  { page: "rewind", kind: "other", title: /^Rewind$/ },
  { page: "choice", kind: "other", title: /^Select model$/ },
];

/** Its first choice says yes and the last one no, and both are numbered; what it asks about is told by its title. */
function approvalOf(title: string, choices: readonly Choice[], keys: string): DialogPage | null {
  const last = choices.at(-1)!;
  const asks = choices.length > 1 && /^Yes\b/.test(choices[0]!.label) && /^No\b/.test(last.label) && choices[0]!.number === 1;
  // The page about a fetch names its key beside the last choice.
  if (!asks || !(/^Esc to cancel\b/.test(keys) || (keys === "" && last.label.endsWith(" (esc)")))) return null;
  const file = /^(create|edit|overwrite|write|update|read|delete|notebook)\b/i.test(title);
  return { page: "command_approval", kind: file ? "file" : /command/i.test(title) ? "command" : "permission" };
}

/** A page without choices, told by its title and what stands last. */
const bare: readonly DialogPage[] = [
  { page: "choice", kind: "other", title: /^Auto mode can't check actions/, keys: /Enter to stay in auto mode .*Esc to cancel$/s },
];

export interface FoundDialog {
  readonly page: PageName;
  readonly dialog: Dialog;
  readonly accept: readonly string[] | null;
}

/** From the first column on; a name or a notice may stand at its end. */
export const isRule = ({ text }: StyledLine): boolean => /^─{10,}( .* ─+)?$/.test(text);
const isThickRule = ({ text }: StyledLine): boolean => /^▔{10,}( .* ▔+)?$/.test(text);
/** Around what would be run or written. */
const isFrame = (text: string): boolean => /^ *╌{10,}$/.test(text);

/** Keys and what they do, and nothing else: what a page ends with. */
const KEYS = /^(enter|esc|tab|space|ctrl\+|shift\+|[←→↑↓]|\w to )/i;

/** What a small screen has no room for. */
const MORE = /^ *[↑↓] \d+ more( lines?)?$/;

/** The page at the end of a screen that shows no composer. */
export function readDialog(lines: readonly StyledLine[]): FoundDialog | null {
  const shown = withoutPreview(lines.slice(0, lines.findLastIndex((line) => line.text !== "" && !isRule(line)) + 1));
  const { from, choices } = regionOf(shown);
  const region = shown.slice(from).map(({ text }) => text);
  const title = region.find((text) => !/^[ ─▔]*$/.test(text))?.trim() ?? "";
  if (choices === null) return readBare(region, title);
  const { list, chosen, begin, end } = choices;
  const tail = shown.slice(end).flatMap(({ text }) => (MORE.test(text) ? [] : [text]));
  const keys = joined(tail);
  const fits = (page: DialogPage) =>
    (page.title?.test(title) ?? true) &&
    (page.keys?.test(keys) ?? true) &&
    (page.choices === undefined ||
      (page.choices.length === list.length && page.choices.every((words, index) => words.test(list[index]!.label))));
  const known = dialogPages.find(fits) ?? approvalOf(title, list, keys);
  // What is marked and has other words than keys below it is a list above a composer that is not in sight, or somebody's words.
  if (known === null && (keys !== "" || from === 0) && !KEYS.test(joined(tail.slice(tail.lastIndexOf("") + 1)))) return null;
  const { page, kind } = known ?? { page: "choice" as const, kind: "other" as const };
  const before = region.slice(0, begin - from);
  const labels = list.map(({ label, more }) => (page === "command_approval" && more !== "" ? `${label} ${more}` : label));
  const dialog: Dialog = {
    question: questionOf(before, title),
    choices: labels,
    chosen,
    kind,
    subject: subjectOf(kind, before, title),
    answers: list.map(({ number }, at) => answerOf(number, labels[at]!, at - chosen, page)),
    takesText: page === "question" && labels.some((label) => /^type something/i.test(label)),
  };
  const yes = dialog.answers.find(({ word }) => word === "yes");
  return { page, dialog, accept: page === "folder_trust" ? (yes?.keys ?? null) : null };
}

/** The choice of a question with previews that stands below their rule, without a number. */
const CHAT = /^(❯| ) Chat about this$/;

/**
 * A question with previews shows that of the marked choice in a frame beside its choices, and below it how to add notes (2.1.332). None of
 * that is a choice. While the one below the rule is marked, the one above keeps its mark, which says whose preview is shown.
 */
function withoutPreview(shown: readonly StyledLine[]): readonly StyledLine[] {
  const chat = shown.findLastIndex(({ text }) => CHAT.test(text));
  const rule = shown.slice(0, Math.max(chat, 0)).findLastIndex(isRule);
  const above = shown.slice(0, Math.max(rule, 0)).findLastIndex(isRule);
  const frame = shown.findIndex(({ text }, at) => at > above && at < rule && /^[ ❯] \d+\. .*┌─{10,}┐$/.test(text));
  if (chat < 0 || frame < 0) return shown;
  const numbers = shown.slice(above, rule).flatMap(({ text }) => /^[ ❯] (\d+)\. /.exec(text)?.[1] ?? []);
  const marked = shown[chat]!.text.startsWith("❯");
  return shown.flatMap((line, at) => {
    if (at < frame || at > chat) return [line];
    // Below a rule it would stand alone, and is the next of them.
    if (at === chat) return [ofText(`${marked ? "❯" : " "} ${Number(numbers.at(-1)) + 1}. Chat about this`)];
    const text = line.text.replace(/( {2}[┌│└].*|^ {20,}\S.*)$/, "").trimEnd();
    return at === rule || text === "" ? [] : [ofText(marked ? text.replace(/^❯/, " ") : text)];
  });
}

const ofText = (text: string): StyledLine => styledLines(text)[0]!;

/**
 * Where the page begins, and its choices. It lies below the lowest rule; one more rule may stand between its choices. Without any it is
 * higher than the screen.
 */
function regionOf(shown: readonly StyledLine[]): { readonly from: number; readonly choices: FoundChoices | null } {
  const rule = shown.findLastIndex((line) => isRule(line) || isThickRule(line));
  const choices = readChoices(shown, rule + 1);
  const whole = choices !== null && (choices.list[0]!.number ?? 1) === 1;
  if (whole || rule < 0 || isThickRule(shown[rule]!)) return { from: rule + 1, choices };
  const above = shown.slice(0, rule).findLastIndex((line) => isRule(line) || isThickRule(line));
  const more = readChoices(shown, above + 1);
  // What is marked above the rule belongs to the page only when its choices go on below it.
  return more !== null && more.end > rule ? { from: above + 1, choices: more } : { from: rule + 1, choices };
}

function readBare(region: readonly string[], title: string): FoundDialog | null {
  const known = bare.find((page) => page.title!.test(title) && page.keys!.test(joined(region)));
  if (known === undefined) return null;
  const dialog: Dialog = { question: title, choices: [], chosen: -1, kind: known.kind, subject: null, answers: [], takesText: false };
  return { page: known.page, dialog, accept: null };
}

const joined = (texts: readonly string[]): string =>
  texts
    .map((text) => text.trim())
    .filter((text) => text !== "")
    .join(" ");

/** A yes for this once; one that allows more has words of its own. */
const YES = /^(yes\b(?!, and\b)|deliver\b)/i;
const NO = /^(no\b|deny\b)/i;

/** Pages on which a digit is known to choose at once. */
const byDigit: ReadonlySet<PageName> = new Set(["command_approval"]);

/** @param below how far below the marked one */
function answerOf(number: number | null, label: string, below: number, page: PageName): DialogAnswer {
  const word = YES.test(label) ? "yes" : NO.test(label) ? "no" : label;
  const steps = Array<string>(Math.abs(below)).fill(below > 0 ? "Down" : "Up");
  // A box is ticked by Enter and chosen by nothing; what takes words waits for them.
  const others = /^\[[ x✔]?\]|^(type something|tell claude what to change)/i.test(label);
  const direct = number !== null && number < 10 && byDigit.has(page) ? [String(number)] : below === 0 ? ["Enter"] : steps;
  return { number, word, keys: others ? null : direct };
}

/** Several lines of somebody's words have a bar in front of each. */
const unbarred = (text: string): string => text.replace(/^ ?│ ?/, "");

/** The paragraph that asks, the last one of them, up to its question mark; else the title. What would be run asks nothing. */
function questionOf(before: readonly string[], title: string): string {
  // What is higher than the screen begins above it.
  let framed = before.filter(isFrame).length % 2 === 1;
  const texts = before.flatMap((text) => {
    if (isFrame(text)) framed = !framed;
    return framed || isFrame(text) || /^[─▔ ]*$/.test(text) ? [""] : [unbarred(text).trim()];
  });
  const at = texts.findLastIndex((text) => text.includes("?"));
  if (at < 0) return title;
  let first = at;
  while (first > 0 && texts[first - 1] !== "") first -= 1;
  const whole = texts.slice(first, at + 1).join(" ");
  return whole.slice(0, whole.lastIndexOf("?") + 1);
}

/** What stands in the frame; of a file, its name. */
function subjectOf(kind: DialogKind, before: readonly string[], title: string): string | null {
  if (kind === "question" || kind === "other") return null;
  if (kind === "file") {
    const name = before.slice(before.findIndex((text) => text.trim() === title) + 1).find((text) => text.trim() !== "");
    return name === undefined || isFrame(name) ? null : name.trim();
  }
  const last = before.findLastIndex(isFrame);
  // Its begin is higher than the screen: what can be seen is its end.
  const cut = before.filter(isFrame).length === 1;
  const first = cut ? -1 : before.findIndex(isFrame);
  if (last <= first) return null;
  const texts = before.slice(first + 1, last).map(unbarred);
  const indent = Math.min(...texts.filter((text) => text.trim() !== "").map((text) => /^ */.exec(text)![0].length));
  const shown = texts
    .map((text) => text.slice(Number.isFinite(indent) ? indent : 0))
    .join("\n")
    .trim();
  return cut ? `${CUT}${shown}` : shown;
}
