/** What is typed into Claude Code, so that it stays a text, and what its composer shows of it. */
import { pasteable, visible } from "../delivery/same-text.ts";

/** A blank that is none, and nobody sees it: what begins with it is no command. All other blanks are cut off before a look at that. */
const SHIELD = "\u2800";

/** Alone, with blanks around it or not, each of these ends the program (2.1.332). */
const END = /^\s*(?:exit|quit|:q!?|:wq!?)\s*$/;

/**
 * The text as it is typed into the composer. As its first character `!` would run a shell command, and `/`, with blanks in front of it or
 * not, a command of the program's, as a word that ends it does; a word that begins with `@` attaches the file of that name; a backslash at
 * the end makes a line break of the Enter, and a word that begins with `@`, `/` or `#` there may open a list that takes it. With an
 * invisible character it is not sent but shown to a person (2.1.332). A tab becomes four blanks. Blanks at the end are cut off.
 */
export function typeable(text: string): string {
  const plain = visible(pasteable(text)).replace(/\t/g, "    ");
  const front = /^\s*\//.test(plain) || END.test(plain) ? SHIELD : plain.startsWith("!") ? " " : "";
  const alone = plain.replace(/(^|\s)@(?=\S)/g, `$1${SHIELD}@`);
  return `${front}${alone}${/\\$|(^|\s)[@/#]\S*$/.test(plain) ? " " : ""}`;
}

/** A narrow composer breaks a long line, and the key may clear no more than one such row. */
const NARROW = 40;

/** C-u clears a row, and once more joins it to the one before; BSpace in front of nothing leaves the mode of shell commands. */
export function clearKeys(text: string): string[] {
  const rows = text.split("\n").reduce((sum, line) => sum + 1 + Math.floor(line.length / NARROW), 0);
  return [...Array<string>(2 * rows + 1).fill("C-u"), "BSpace"];
}

/** More than 800 characters or three lines are folded, and are then told to the model as words that need not be its user's (2.1.332). */
const LONGEST = 700;
const MOST_BREAKS = 2;

/** Behind its dot: a paste that is the path of a picture becomes an attachment, and neither half of it is one. */
const ENDING = /\.(?=(?:png|jpe?g|gif|webp|bmp|heic|tiff?|svg|pdf)(?![a-z0-9]))/gi;

/** The text in the pieces in which it is pasted, [] for none: each so small that it is shown, and told, as it is. */
export function pastes(text: string): readonly string[] {
  return text
    .replace(ENDING, ".\0")
    .split("\0")
    .flatMap((part) => [...smallPieces(part)]);
}

function* smallPieces(text: string): Generator<string> {
  for (let at = 0; at < text.length;) {
    let end = Math.min(at + LONGEST, text.length);
    // Not between the halves of a character.
    if (end < text.length && /[\udc00-\udfff]/.test(text[end]!)) end -= 1;
    let breaks = 0;
    for (let index = at; index < end; index += 1) {
      if (text[index] === "\n") breaks += 1;
      if (breaks > MOST_BREAKS) end = index;
    }
    yield text.slice(at, end);
    at = end;
  }
}

/** Whether the placeholder of a folded paste stands for this text, by the line breaks that it counts; null when it is none. */
export function folds(shown: string, typed: string): boolean | null {
  const match = /^\[Pasted ?text ?#\d+(?: ?\+(\d+) ?lines?)?\]$/.exec(shown.trim());
  return match === null ? null : Number(match[1] ?? 0) === typed.split("\n").length - 1;
}
