/** What is typed into Codex, so that it stays a text, and what its composer shows of it. */
import { pasteable } from "../delivery/same-text.ts";

/**
 * The text as it is typed into the composer. A leading `!` would run a shell command and a leading `/` one of Codex's own; a word that
 * begins with `@` or `$` at the end opens a list that takes the Enter. Blanks at the ends are cut off.
 */
export function typeable(text: string): string {
  const plain = pasteable(text);
  return `${/^[!/]/.test(plain) ? " " : ""}${plain}${/(^|\s)[@$/#]\S*$/.test(plain) ? " " : ""}`;
}

/** C-u clears a line, and once more joins it to the one before. */
export const clearKeys = (text: string): string[] => Array<string>(2 * text.split("\n").length + 1).fill("C-u");

/** The count of a long text's placeholder, which stands in the composer without its blanks. */
export function foldedCharacters(shown: string): number | null {
  const count = /^\[PastedContent(\d+)chars\]$/.exec(shown.replace(/\s+/g, ""))?.[1];
  return count === undefined ? null : Number(count);
}
