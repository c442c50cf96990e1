/** What a Codex terminal shows: named pages, kept as data per version, and what stands in the composer. */
import type { Composer, PageName, Screen } from "../agent/screen.ts";
import { isStyled, type StyledLine, styledLines } from "../styled-text.ts";
import { acceptOldest, isCutTrustPage, readDialog } from "./dialogs.ts";
import { isEarlyFooter } from "./pane-classifier.ts";

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

/** The line above the composer while a turn runs; a narrow terminal cuts it. */
const workingLine = /^\S? ?.*\((?:\d+h )?(?:\d+m )?\d+s • esc( to interrupt\)|[^)]*$)/i;

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
  const above = lines.slice(0, marker < 0 ? lines.length : marker).slice(-24);
  const working = dialog === null && above.some((line) => isWorkingLine(line, styled));
  const below = marker < 0 ? lines.filter((line) => line.text !== "").slice(-2) : footer(lines, marker);
  // The status line holds names that others chose, of the folder and the thread. Without styles it cannot be told from a row of keys.
  const keys = marker < 0 ? below : styled || below.length > 1 ? below.slice(-1) : [];
  const overlay = dialog === null ? readOverlay(keys, styled) : null;
  const plainTrust = dialog === null && composer === null && isCutTrustPage(lines, styled);
  const early = composer !== null && composer.empty && isEarlyFooter(below.map((line) => line.text));
  const asks = dialog !== null || plainTrust;
  const base = { asks, dialog: dialog?.dialog ?? null, accept: null, composer, working, queued };
  if (mode !== null) return { page: "copy_mode", ...base };
  if (dialog !== null) return { page: dialog.page, ...base, accept: dialog.accept };
  if (plainTrust) return { page: "folder_trust", ...base, accept: acceptOldest(lines) };
  if (overlay !== null) return { page: overlay, ...base };
  if (composer !== null && !composer.empty) return { page: "draft", ...base };
  if (early) return { page: "starting", ...base };
  if (queued.length > 0) return { page: "queued_input", ...base };
  if (working) return { page: "working", ...base };
  if (composer !== null) return { page: "idle", ...base };
  return { page: texts.every((text) => text === "") ? "blank" : "unknown", ...base };
}

/** Words of a conversation may say the same; Codex writes the key bold and what stands before it, behind the seconds, dim. */
function isWorkingLine({ text, cells }: StyledLine, styled: boolean): boolean {
  if (!workingLine.test(text) || !styled) return workingLine.test(text);
  const at = cells.findLastIndex(({ char }, index) => char === "e" && cells[index + 1]?.char === "s" && cells[index - 2]?.char === "•");
  const [seconds, dot, key] = [cells[at - 4], cells[at - 2], cells[at]];
  return seconds?.char === "s" && dot?.dim === true && key?.bold === true && !key.dim;
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

/** Below the composer, after a blank line: the status line of up to two rows, then one row of keys or of the mode. */
function footer(lines: readonly StyledLine[], marker: number): readonly StyledLine[] {
  const end = lines.findLastIndex((line) => line.text !== "");
  let first = end;
  while (first > marker && lines[first]!.text !== "") first -= 1;
  return first > marker ? lines.slice(first + 1, end + 1) : [];
}

/** Without the arrow at the right edge, which says that there are more rows: 0.171 writes it dim behind the text. */
const rowText = ({ text, cells }: StyledLine): string =>
  cells.findLast(({ char }) => char !== " ")?.dim ? text.replace(/ [↑↓]$/, "") : text;

function readComposer(lines: readonly StyledLine[], marker: number, styled: boolean): Composer {
  const end = lines.findLastIndex((line) => line.text !== "");
  const own = lines.slice(marker, end + 1 - footer(lines, marker).length);
  const text = own
    .map((line, index) => (index === 0 ? rowText(line).slice(1).replace(/^ /, "") : rowText(line).replace(/^ {2}/, "")))
    .join("\n")
    .trim();
  const typed = styled
    ? own.some((line, index) => line.cells.slice(index === 0 ? 1 : 0).some((cell) => cell.char.trim() !== "" && !cell.dim))
    : text !== "" && !hints.includes(text);
  const shell = lines[marker]!.cells[0]!.char === "!";
  return { empty: !typed && !shell, text: typed ? text : "", shell };
}

/** What the rows say the keys are for, when that is not the composer. */
function readOverlay(rows: readonly StyledLine[], styled: boolean): PageName | null {
  const known = overlays.find(({ mark }) => rows.some(({ text }) => text.trim().toLowerCase().startsWith(mark)));
  return known?.page ?? (rows.some((row) => takesEnter(row, styled)) ? "overlay" : null);
}

/** The row names Enter as a key, which Codex writes bold; without styles, as the first word of a part. */
function takesEnter({ text, cells }: StyledLine, styled: boolean): boolean {
  if (!styled) return /(^|[·|]) *(press )?(↵|enter\b|return\b)/i.test(text.trim());
  const bold = cells.map((cell) => (cell.bold && !cell.dim ? cell.char : "\0")).join("");
  return /↵|(?<![^\0\s/])(enter|return)(?![^\0\s/])/i.test(bold);
}

/** The block directly above the composer; the same words further up belong to the conversation. */
function readQueue(texts: readonly string[], marker: number): string[] {
  const isHead = (text: string) => queueHeads.some((words) => text.replace(/^\S /, "").startsWith(words));
  const above = texts.slice(0, marker < 0 ? undefined : marker);
  const head = above.findLastIndex(isHead);
  if (head < 0) return [];
  const block = above.slice(head + 1).filter((text) => text !== "");
  if (!block.every((text) => /^( {2}↳ | {4})/.test(text))) return [];
  const first = above.slice(0, head).findLastIndex((text) => text !== "" && !/^( {2}↳ | {4})/.test(text) && !isHead(text));
  return above
    .slice(first + 1)
    .map((text) => text.trimStart())
    .flatMap((text) => (text.startsWith("↳ ") ? [text.slice(2)] : []));
}
