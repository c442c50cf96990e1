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

/** C-u clears a line, and once more joins it to the one before; BSpace in front of nothing leaves the mode of shell commands. */
export const clearKeys = (text: string): string[] => [...Array<string>(2 * text.split("\n").length + 1).fill("C-u"), "BSpace"];

/** Whether the placeholder of a long text stands for this one, by its count; null when it is none. The composer's blanks may be missing. */
export function folds(shown: string, typed: string): boolean | null {
  const count = /^\[PastedContent(\d+)chars\]$/.exec(shown.replace(/\s+/g, ""))?.[1];
  return count === undefined ? null : Number(count) === [...typed].length;
}

/** Longer pastes are folded before Codex asks whether they are a path. */
const LONGEST_PATH = 1000;

/**
 * The text in the pieces in which it is pasted, [] for none. A paste that is the path of a picture, in any spelling that a shell or a file
 * manager has for it (quoted, escaped, `file://`), becomes an attachment. What may be one word is cut behind the dot of its ending: neither
 * piece names a picture then, and in the composer they are one text.
 */
export function pastes(text: string): readonly string[] {
  if (text === "") return [];
  const words = text.trim();
  if (words.length > LONGEST_PATH || !(/^(\\.|[^\s\\])*$/s.test(words) || /["']/.test(words))) return [text];
  const dot = /^.*(\.|%2e)/is.exec(text)?.[0] ?? "";
  return dot === "" || text.slice(dot.length).trim() === "" ? [text] : [dot, text.slice(dot.length)];
}
