/** What a Codex terminal shows: named pages, kept as data per version, and what stands in the composer. */
import type { Composer, Dialog, PageName, Screen } from "../agent/screen.ts";
import { isStyled, type StyledLine, styledLines } from "../styled-text.ts";

interface DialogPage {
  readonly page: PageName;
  /** Versions of Codex that show it so. */
  readonly versions: string;
  /** All of these, in any case, stand on the page. */
  readonly marks: readonly string[];
}

/** Dialogs by what they say. A dialog that none of these knows is a `choice`. */
const dialogPages: readonly DialogPage[] = [
  { page: "folder_trust", versions: "0.169", marks: ["folder access", "trust this folder?"] },
  { page: "folder_trust", versions: "before 0.169", marks: ["do you trust the contents of this directory"] },
  { page: "update_offer", versions: "all", marks: ["update available"] },
  { page: "rate_limit", versions: "all", marks: ["approaching rate limits"] },
  { page: "sign_in", versions: "all", marks: ["sign in with chatgpt"] },
  { page: "server_features", versions: "0.169", marks: ["background server has incompatible feature settings"] },
  { page: "command_approval", versions: "all", marks: ["would you like to run the following command?"] },
  { page: "command_approval", versions: "all", marks: ["would you like to make the following edits?"] },
  { page: "command_approval", versions: "0.169", marks: ["would you like to grant these permissions?"] },
  { page: "command_approval", versions: "0.169", marks: ["would you like to send input to"] },
];

/** Hints of an empty composer, needed only where the capture carries no styles. */
const hints: readonly string[] = ["Ask Codex to do anything", "Ask a follow-up question"];

/** Modes in which the composer looks empty and the keys mean something else. In the second, Enter would take the thread back. */
const overlays: readonly { readonly page: PageName; readonly mark: string }[] = [
  { page: "search", mark: "reverse-i-search:" },
  { page: "transcript", mark: "browsing transcript" },
];

const queueHeads: readonly string[] = [
  "Messages to be submitted after next tool call",
  "Messages to be submitted at end of turn",
  "Queued follow-up inputs",
];

/** The question of the oldest clients, which came without numbered choices. */
const isTrustQuestion = (text: string): boolean => text.toLowerCase().includes("do you trust the contents of this directory");

const workingLine = /^\s*\S?\s*.*\((?:\d+h )?(?:\d+m )?\d+s • esc to interrupt\)/i;
const choiceLine = /^\s*(› ?)?\s*(\d+)\. (.+)$/;
const answerLine = /\b(enter|esc)\b/i;

/**
 * Reads one screen (the visible part, without history).
 * @param capture as tmux prints it, better with styles; @param mode tmux's own mode in front of the program, or null
 */
export function readScreen(capture: string, mode: string | null = null): Screen {
  const styled = isStyled(capture);
  const lines = styledLines(capture);
  const dialog = readDialog(lines, styled);
  const marker = dialog === null ? composerLine(lines, styled) : -1;
  const composer = marker < 0 ? null : readComposer(lines, marker, styled);
  const texts = lines.map((line) => line.text);
  const queued = readQueue(texts, marker);
  const working =
    dialog === null && texts.slice(Math.max(0, (marker < 0 ? texts.length : marker) - 24)).some((text) => workingLine.test(text));
  const overlay =
    dialog === null ? readOverlay(marker < 0 ? texts.filter((text) => text !== "").slice(-2) : texts.slice(marker + 1)) : null;
  const plainTrust =
    dialog === null &&
    composer === null &&
    texts
      .filter((text) => text !== "")
      .slice(-12)
      .some(isTrustQuestion);
  const base = { asks: dialog !== null || plainTrust, dialog: dialog?.dialog ?? null, composer, working, queued };
  if (mode !== null) return { page: "copy_mode", ...base };
  if (dialog !== null) return { page: dialog.page, ...base };
  if (plainTrust) return { page: "folder_trust", ...base };
  if (overlay !== null) return { page: overlay, ...base };
  if (composer !== null && !composer.empty) return { page: "draft", ...base };
  if (queued.length > 0) return { page: "queued_input", ...base };
  if (working) return { page: "working", ...base };
  if (composer !== null) return { page: "idle", ...base };
  return { page: texts.every((text) => text === "") ? "blank" : "unknown", ...base };
}

/** The dialog at the bottom of the screen: numbered choices, one of them marked, and a line that names the keys. */
function readDialog(lines: readonly StyledLine[], styled: boolean): { dialog: Dialog; page: PageName } | null {
  const end = lines.findLastIndex((line) => line.text !== "");
  const choices: { at: number; number: number; text: string; marked: boolean }[] = [];
  for (let at = end; at >= 0 && at > end - 40; at -= 1) {
    const match = choiceLine.exec(lines[at]!.text);
    if (match === null) continue;
    choices.unshift({ at, number: Number(match[2]), text: match[3]!.trim(), marked: match[1] !== undefined });
    if (match[2] === "1") break;
  }
  const first = choices[0];
  const last = choices.at(-1);
  if (first === undefined || last === undefined || choices.length < 2 || choices.some((choice, index) => choice.number !== index + 1))
    return null;
  const chosen = choices.findIndex((choice) => choice.marked);
  const markedLine = lines[choices[chosen]?.at ?? -1];
  if (markedLine === undefined || (styled && !markedLine.cells.some((cell) => cell.reverse || (cell.char === "›" && cell.dim === false))))
    return null;
  const after = lines
    .slice(last.at + 1, end + 1)
    .map((line) => line.text)
    .filter((text) => text !== "");
  if (!after.some((text) => answerLine.test(text)) || after.some((text) => text.startsWith("›"))) return null;
  const region = lines.slice(Math.max(0, first.at - 24), end + 1).map((line) => line.text);
  const whole = region.join("\n").toLowerCase();
  const before = lines.slice(Math.max(0, first.at - 16), first.at).map((line) => line.text.trim());
  const known = dialogPages.find((each) => each.marks.every((mark) => whole.includes(mark)));
  const question =
    before.findLast((text) => known?.marks.some((mark) => text.toLowerCase().includes(mark) && text.includes("?"))) ??
    before.findLast((text) => text.includes("?")) ??
    before.findLast((text) => text !== "") ??
    "";
  return { page: known?.page ?? "choice", dialog: { question, choices: choices.map((choice) => choice.text), chosen } };
}

/** Index of the line on which the composer begins, or -1. With styles: bold and neither dim (an old message) nor reversed (a choice). */
function composerLine(lines: readonly StyledLine[], styled: boolean): number {
  return lines.findLastIndex(({ cells, text }) => {
    const marker = cells[0];
    if (marker === undefined) return false;
    if (!styled) return marker.char === "›";
    const begins = marker.char === "›" || (marker.char === "!" && (text === "!" || text.startsWith("! ")));
    return begins && marker.bold && !marker.dim && !marker.reverse;
  });
}

function readComposer(lines: readonly StyledLine[], marker: number, styled: boolean): Composer {
  const end = lines.findLastIndex((line) => line.text !== "");
  // Below the composer, after a blank line, stands the status line of one or two rows.
  let footer = end;
  while (footer > marker && lines[footer]!.text !== "") footer -= 1;
  const last = footer > marker ? footer : end;
  const own = lines.slice(marker, last + 1);
  const text = own
    .map((line, index) => (index === 0 ? line.text.slice(1).replace(/^ /, "") : line.text.replace(/^ {2}/, "")))
    .join("\n")
    .trim();
  const typed = styled
    ? own.some((line, index) => line.cells.slice(index === 0 ? 1 : 0).some((cell) => cell.char.trim() !== "" && !cell.dim))
    : text !== "" && !hints.includes(text);
  const shell = lines[marker]!.cells[0]!.char === "!";
  return { empty: !typed && !shell, text: typed ? text : "", shell };
}

/** What the line below the composer says the keys are for, when that is not the composer. */
function readOverlay(below: readonly string[]): PageName | null {
  const known = overlays.find(({ mark }) => below.some((text) => text.toLowerCase().includes(mark)));
  if (known !== undefined) return known.page;
  return below.some((text) => /↵|\b(enter|return)\b/i.test(text)) ? "overlay" : null;
}

function readQueue(texts: readonly string[], marker: number): string[] {
  const head = texts.findLastIndex((text, at) => (marker < 0 || at < marker) && queueHeads.some((words) => text.includes(words)));
  if (head < 0) return [];
  const queued: string[] = [];
  for (const text of texts.slice(head + 1, marker < 0 ? undefined : marker)) {
    if (text.trimStart().startsWith("↳ ")) queued.push(text.trimStart().slice(2));
  }
  return queued;
}

/** A sentence part for a person: what the page in front is. */
export const pageWords: Readonly<Record<PageName, string>> = {
  copy_mode: "tmux's copy mode is on",
  folder_trust: "Codex asks whether to trust the folder",
  update_offer: "Codex offers an update",
  rate_limit: "Codex warns of its rate limit",
  sign_in: "Codex asks for a sign-in",
  server_features: "Codex says that its background server has other settings",
  command_approval: "Codex asks for an approval",
  choice: "Codex shows a choice",
  search: "Codex searches its history",
  transcript: "the transcript is being browsed",
  overlay: "Codex shows something over the composer",
  draft: "text stands in the composer",
  queued_input: "messages wait for the next tool call",
  working: "Codex works",
  idle: "the composer is empty",
  blank: "the screen is blank",
  unknown: "the screen is none that is known",
};
