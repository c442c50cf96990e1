/** Pages of a Codex terminal that ask something and take every key: found by their structure, named by what only Codex writes there. */
import type { StyledLine } from "../styled-text.ts";
import type { Dialog, DialogAnswer, DialogKind, PageName } from "../agent/screen.ts";

interface DialogPage {
  readonly page: PageName;
  /** Versions of Codex that show it so. */
  readonly versions: string;
  /** The title, or the first words of the question, in any case. */
  readonly title: string;
  /** What it asks about, where it asks for an approval. */
  readonly kind?: DialogKind;
  /** What one of the choices must begin with, where a mistake would be dearer than a page without a name. */
  readonly choice?: RegExp;
  /** The same of the line that names the keys. */
  readonly keys?: RegExp;
  /** The keys that say yes while `choice` is the chosen one. */
  readonly accept?: readonly string[];
}

const ENTER: readonly string[] = ["Enter"];
const TRUST = /^trust and continue$/i;

/** Enter goes on, and sends no answer of the agent's own making. */
const goesOn = /\benter (to )?continue/i;

/** Choices of an approval. They name it by themselves, since the title leaves a small screen first. */
const approvalChoice = /^(yes, proceed|yes, and don't ask again|yes, grant|no, and tell codex|no, continue without)/i;

/** Dialogs by what they say. One that none of these knows is a `choice`. */
const dialogPages: readonly DialogPage[] = [
  { page: "folder_trust", versions: "from 0.169", title: "folder access", choice: TRUST, keys: goesOn, accept: ENTER },
  { page: "folder_trust", versions: "from 0.169", title: "trust this folder?", choice: TRUST, keys: goesOn, accept: ENTER },
  {
    page: "folder_trust",
    versions: "before 0.169",
    title: "do you trust the contents of this directory",
    choice: /^yes, (continue|allow)/i,
    keys: goesOn,
    accept: ENTER,
  },
  { page: "update_offer", versions: "all", title: "update available" },
  { page: "rate_limit", versions: "all", title: "approaching rate limits" },
  { page: "sign_in", versions: "all", title: "sign in with chatgpt" },
  { page: "server_features", versions: "from 0.169", title: "background server has incompatible feature settings" },
  { page: "command_approval", versions: "all", title: "would you like to run the following command?", kind: "command" },
  { page: "command_approval", versions: "all", title: "would you like to make the following edits?", kind: "file" },
  { page: "command_approval", versions: "from 0.169", title: "would you like to grant these permissions?", kind: "permission" },
  { page: "command_approval", versions: "from 0.169", title: "would you like to send input to", kind: "command" },
];

/** What has choices and no title that is known; and the trust page where its title has left a small screen. */
const unnamed: Pick<DialogPage, "page" | "accept" | "choice"> = { page: "choice" };
const cutTrustPage = dialogPages[0]!;

const choiceLine = /^\s*(› ?)?\s*(\d+)\. (.+)$/;
const answerLine = /\b(enter|esc)\b/i;
/** Codex puts this in place of what a small screen cannot hold. */
const cutLine = /^\[… \d+ lines?\]/;

interface Choice {
  readonly at: number;
  readonly number: number;
  readonly text: string;
  readonly marked: boolean;
}

/** The numbered choices at the end of the screen. A list that is longer than its place begins with another number than 1. */
function readChoices(lines: readonly StyledLine[], end: number): Choice[] {
  const choices: Choice[] = [];
  for (let at = end; at >= 0 && at > end - 40; at -= 1) {
    const match = choiceLine.exec(lines[at]!.text);
    if (match === null) continue;
    const number = Number(match[2]);
    if (choices.length > 0 && number !== choices[0]!.number - 1) break;
    choices.unshift({ at, number, text: match[3]!.trim(), marked: match[1] !== undefined });
    if (number === 1) break;
  }
  return choices;
}

/** The dialog at the end of the screen: numbered choices, one of them marked, and a line that names the keys. */
export function readDialog(
  lines: readonly StyledLine[],
  styled: boolean,
): { dialog: Dialog; page: PageName; accept: readonly string[] | null } | null {
  const end = lines.findLastIndex((line) => line.text !== "");
  const choices = readChoices(lines, end);
  const first = choices[0];
  const last = choices.at(-1);
  // One choice alone is a list only where it is lit; a person types such a line, too.
  if (first === undefined || last === undefined || (choices.length < 2 && !styled) || (first.number !== 1 && !styled)) return null;
  const chosen = choices.findIndex((choice) => choice.marked);
  const markedLine = lines[choices[chosen]?.at ?? -1];
  if (markedLine === undefined) return null;
  const lit = markedLine.cells.some((cell) => cell.reverse);
  if (styled && !lit && (choices.length < 2 || !markedLine.cells.some((cell) => cell.char === "›" && !cell.dim))) return null;
  const after = lines.slice(last.at + 1, end + 1).filter(({ text }) => text !== "");
  if (after.some(({ text }) => text.startsWith("›"))) return null;
  if (!after.some(({ text }) => answerLine.test(text)) && !(styled && lit)) return null;
  const before = lines.slice(Math.max(0, first.at - 24), first.at);
  const said = choices.map((choice) => choice.text);
  const titled = titleOf(before, styled, markedLine.text.startsWith("›") ? said : [], after.map(({ text }) => text).join(" "));
  const cutTrust = markedLine.text.startsWith("› 1. Trust and continue") && isCutTrustPage(lines, styled);
  const asked = said.some((text) => approvalChoice.test(text));
  const dialog: Dialog = {
    question: questionOf(before, titled?.at ?? null),
    choices: said,
    chosen,
    kind: titled?.known.kind ?? (asked ? "permission" : "other"),
    subject: commandOf(before, titled?.known.kind),
    answers: choices.map(answerOf),
    takesText: false,
  };
  if (asked) return { page: "command_approval", dialog, accept: null };
  const { page, accept, choice } = titled?.known ?? (cutTrust ? cutTrustPage : unnamed);
  return { page, dialog, accept: choice?.test(said[chosen]!) === true ? (accept ?? null) : null };
}

/** What would be run, where it stands there in one line and nothing below it: what is longer is wrapped, or cut. */
function commandOf(before: readonly StyledLine[], kind: DialogKind | undefined): string | null {
  const last = before.findLast(({ text }) => text.trim() !== "");
  return kind === "command" ? (/^\s*\$ (.+)$/.exec(last?.text.trimEnd() ?? "")?.[1] ?? null) : null;
}

/** Those that say more than this one yes or no have words of their own. Which keys are certain to choose one was not tried. */
const answerOf = ({ number, text }: Choice): DialogAnswer => ({
  number,
  word: /^yes\b(?!, and)/i.test(text) ? "yes" : /^no\b/i.test(text) ? "no" : text,
  keys: null,
});

/**
 * The lowest line that is the title of a page with these choices and keys. A title begins its line and is bold, unless choices and keys
 * prove it: what a command or a folder is called may stand in the same place.
 */
function titleOf(
  before: readonly StyledLine[],
  styled: boolean,
  choices: readonly string[],
  keys: string,
): { at: number; known: DialogPage } | null {
  for (let at = before.length - 1; at >= 0; at -= 1) {
    const { text, cells } = before[at]!;
    const plain = text.toLowerCase().replace(/^[^a-z]*/, "");
    const bold = !styled || cells.find((cell) => /[a-z]/i.test(cell.char))?.bold === true;
    const known = dialogPages.find(
      (page) =>
        plain.startsWith(page.title) &&
        (page.choice === undefined ? bold : choices.some((choice) => page.choice?.test(choice))) &&
        (page.keys === undefined || page.keys.test(keys)),
    );
    if (known !== undefined) return { at, known };
  }
  return null;
}

/** The paragraph of the title, else the last one that asks, else the last one; up to its question mark. */
function questionOf(before: readonly StyledLine[], title: number | null): string {
  const texts = before.map((line) => line.text.trim());
  const paragraph = (at: number): string => {
    let from = at;
    while (title === null && from > 0 && texts[from - 1] !== "") from -= 1;
    const rest = texts.slice(from);
    const end = rest.findIndex((text) => text === "" || cutLine.test(text));
    return (end < 0 ? rest : rest.slice(0, end)).join(" ");
  };
  const asked = title ?? texts.findLastIndex((text) => text.includes("?"));
  const at = asked >= 0 ? asked : texts.findLastIndex((text) => text !== "" && !cutLine.test(text));
  if (at < 0) return "";
  const whole = paragraph(at);
  const mark = whole.indexOf("?");
  return mark < 0 ? whole : whole.slice(0, mark + 1);
}

/** The question of the oldest clients, which came without numbered choices. */
const isTrustQuestion = (text: string): boolean => text.toLowerCase().includes("do you trust the contents of this directory");

/** Rows that are free below a page that is shown whole; the last may be the end of the capture. */
const FREE_ROWS = 2;

/** The keys that say yes to the oldest question, when the screen had room for choices and there are none. */
export function acceptOldest(lines: readonly StyledLine[]): readonly string[] | null {
  const end = lines.findLastIndex(({ text }) => text !== "");
  const whole = lines.length - 1 - end >= FREE_ROWS && !lines.some(({ text }) => choiceLine.test(text));
  return whole && isTrustQuestion(lines[end]?.text ?? "") ? ENTER : null;
}

/** A trust page that the screen is too small to show whole: nothing stands above its title. Or the oldest, which has no choices. */
export function isCutTrustPage(lines: readonly StyledLine[], styled: boolean): boolean {
  const shown = lines.filter(({ text }) => text !== "");
  const [title, ...rest] = shown;
  const cut =
    styled &&
    title?.text.trim() === "Folder access" &&
    title.cells[2]?.bold === true &&
    rest
      .map(({ text }) => text.trim())
      .join(" ")
      .includes("Trust this folder?");
  return cut || shown.slice(-12).some(({ text }) => isTrustQuestion(text));
}
