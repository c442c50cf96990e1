/** Text that others wrote, made fit for a terminal. */

/** Control characters but tab and line feed, and the marks that turn the direction of writing. */
const OBEYED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** The text without anything that a terminal would obey instead of showing it. */
export const harmless = (text: string): string => text.replace(OBEYED, "");

/** The same text of JSON, in which a terminal finds nothing to obey: JSON itself escapes only the lower control characters. */
export const harmlessJson = (text: string): string =>
  text.replace(/[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** The text as a single line without tabs, for a place where a line is a record and a tab ends a column. */
export const oneLine = (text: string): string => harmless(text.replace(/[\t\n\u000b-\r\u0085\u2028\u2029]+/g, " "));

/** The first line of a text that shows something, as a single line; null: none does. */
export const firstLine = (text: string): string | null =>
  text
    .split(/[\n\r\u0085\u2028\u2029]/)
    .map((line) => oneLine(line).trim())
    .find((line) => line !== "") ?? null;

/** Whether a text has a letter or a digit in it: dots and dashes alone say nothing. */
export const saysSomething = (text: string): boolean => /[\p{L}\p{N}]/u.test(text);
