/** What a Claude Code terminal shows: the page in front, what stands in the composer, what waits for its turn. */
import type { Composer, PageName, Screen } from "../agent/screen.ts";
import { isStyled, type StyledLine, styledLines } from "../styled-text.ts";
import { isRule, readDialog } from "./dialogs.ts";

/** Hints of an empty composer, needed only where the capture carries no styles. */
const hints: readonly RegExp[] = [
  /^Press up to edit queued messages$/,
  /^Once fixed, resend your message$/,
  /^Resend your message to try again$/,
  /^Try "/,
];

/** The composer writes a blank that does not break behind its marker; an old message has a plain one. */
const NBSP = "\u00a0";

/**
 * Reads one screen (the visible part, without history).
 * @param capture as tmux prints it, better with styles; @param mode tmux's own mode in front of the program, or null
 */
export function readScreen(capture: string, mode: string | null = null): Screen {
  const styled = isStyled(capture);
  const lines = withoutPanel(styledLines(capture));
  const place = composerPlace(lines);
  const dialog = place === null ? readDialog(lines) : null;
  const composer = place === null ? null : readComposer(lines.slice(place.begin, place.end), styled);
  const above = place === null ? [] : lines.slice(0, place.begin - 1);
  const footer = place === null ? [] : lines.slice(place.end + 1).map(({ text }) => text.trim());
  const working = place !== null && (footer.some((text) => /(^|· )esc to interrupt( ·|$)/.test(text)) || spins(above));
  const queued = readQueue(above, styled);
  const base = { asks: dialog !== null, dialog: dialog?.dialog ?? null, accept: null, composer, working, queued };
  if (mode !== null) return { page: "copy_mode", ...base };
  if (dialog !== null) return { page: dialog.page, ...base, accept: dialog.accept };
  if (composer === null) return { page: overlayOf(lines), ...base };
  return { page: pageOf(composer, footer, base), ...base };
}

/**
 * A wide terminal shows the changes of the project at its right side from the first file on that is written; its first line ends in the
 * sign that closes it (2.1.332). What stands there belongs to no page.
 */
function withoutPanel(lines: readonly StyledLine[]): readonly StyledLine[] {
  if (!/│ +✕$/.test(lines[0]?.text ?? "")) return lines;
  const at = lines[0]!.cells.findLastIndex(({ char }) => char === "│");
  return lines.map((line) => {
    if (line.cells[at]?.char !== "│") return line;
    const cells = line.cells.slice(0, at);
    const text = cells.map(({ char }) => char).join("");
    return { cells, text: text.trimEnd() };
  });
}

function pageOf(composer: Composer, footer: readonly string[], { working, queued }: Pick<Screen, "working" | "queued">): PageName {
  if (!composer.empty) return "draft";
  if (footer.some((text) => /^Press Ctrl-[A-Z] again to exit/.test(text))) return "leaving";
  if (queued.length > 0) return "queued_input";
  return working ? "working" : "idle";
}

/** What else can stand where the composer does, told by what stands last below the lowest rule. */
function overlayOf(lines: readonly StyledLine[]): PageName {
  const texts = lines.map(({ text }) => text);
  if (texts.every((text) => text === "")) return "blank";
  const rule = texts.findLastIndex((text) => /^(─{10,}|▔{10,})/.test(text));
  const below = texts.slice(rule + 1).filter((text) => text !== "");
  if (rule < 0 || below.length === 0) return "unknown";
  if (/^ *Showing detailed transcript\b/.test(below[0]!)) return "transcript";
  return /\b(esc|enter|ctrl\+\w)\b.* to /i.test(below.at(-1)!) ? "overlay" : "unknown";
}

/** A border of a composer that holds more rows than it shows, here above or below. */
const isCutOff = ({ text }: StyledLine): boolean => /^─── [↑↓] \d+ more ─{3,}$/.test(text);
const isBorder = (line: StyledLine): boolean => isRule(line) || isCutOff(line);

/**
 * Between the last two borders: rows that begin with the marker and go on two columns further in. Where its first rows are not shown the
 * marker is missing, except that of shell commands. Words of a conversation never begin in the first column with a rule, and those of a
 * page that asks have its choices and keys below them.
 */
function composerPlace(lines: readonly StyledLine[]): { readonly begin: number; readonly end: number } | null {
  const end = lines.findLastIndex(isBorder);
  const begin = lines.slice(0, Math.max(end, 0)).findLastIndex(isBorder) + 1;
  if (begin === 0 || begin >= end) return null;
  const [marker, blank] = lines[begin]!.cells;
  const marked = (marker?.char === "❯" || marker?.char === "!") && blank?.char === NBSP;
  const rows = lines.slice(marked || !isCutOff(lines[begin - 1]!) ? begin + 1 : begin, end);
  if (!marked && rows.length < end - begin) return null;
  return rows.every(({ text }) => text === "" || text.startsWith("  ")) ? { begin, end } : null;
}

function readComposer(rows: readonly StyledLine[], styled: boolean): Composer {
  const shell = rows[0]!.cells[0]!.char === "!";
  const text = rows
    .map((row) => row.text.slice(2))
    .join("\n")
    .trim();
  const empty = text === "" || (styled ? isHint(rows) : hints.some((hint) => hint.test(text)));
  return { empty: empty && !shell, text: empty ? "" : text, shell };
}

/** The cursor stands on the first character of a hint, and the rest of it is dim. */
function isHint(rows: readonly StyledLine[]): boolean {
  const [first, ...rest] = rows.flatMap(({ cells }) => cells.slice(2)).filter(({ char }) => char.trim() !== "");
  return first?.reverse === true && rest.length > 0 && rest.every(({ dim }) => dim);
}

/** The line above the composer while a turn runs. Behind its glyph, which keeps changing, stand ever new words. */
const spinner = /^[^\w\s●❯⎿│] (?:\S.*…(?: \(.*)?|.* · retrying in .*)$/;

/** Tips and notices stand below it. A narrow screen cuts it. */
function spins(above: readonly StyledLine[]): boolean {
  const texts = above.map(({ text }) => text).filter((text) => text !== "");
  const at = texts.findLastIndex((text) => !/^ {2}/.test(text));
  return at >= 0 && spinner.test(texts[at]!);
}

/** Of a long message only the first rows are shown. */
const NOT_SHOWN = /\s*… \+\d+ lines?$/;

const QUEUED = /^ +⎿ +Queued( ·|$)/;

/**
 * Messages that wait stand grey at the end of the conversation; under the last of them it is said. Without colours only that one is told
 * from those that were taken up.
 */
function readQueue(above: readonly StyledLine[], styled: boolean): string[] {
  const queued: string[] = [];
  let at = above.findLastIndex(({ text }) => QUEUED.test(text)) - 1;
  while (at >= 0) {
    let first = at;
    while (first > 0 && above[first]!.text.startsWith("  ")) first -= 1;
    const head = above[first]!;
    const isFirst = queued.length === 0;
    if (!head.text.startsWith("❯ ") || (styled ? !isGrey(head) : !isFirst)) break;
    const rows = above.slice(first, at + 1).map(({ text }) => text.slice(2));
    queued.unshift(rows.join("\n").trim().replace(NOT_SHOWN, "…"));
    at = first - 1;
    while (at >= 0 && above[at]!.text === "") at -= 1;
  }
  return queued;
}

/** The words have the colour of the marker in front of them. */
const isGrey = ({ cells }: StyledLine): boolean =>
  cells.slice(1).every(({ char, colour }) => char.trim() === "" || colour === cells[0]!.colour);
