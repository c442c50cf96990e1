/** Whether two texts say the same once a terminal and an agent have had them in between. */

// What a terminal would obey instead of show. Line feed and tab stay.
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/**
 * The text without control characters and halves of characters, with plain line ends: what can be pasted without commanding the terminal.
 */
export const pasteable = (text: string): string => text.toWellFormed().replace(/\r\n?/g, "\n").replace(controls, "");

// What joins, orders or fills and shows nothing of its own. Selectors of a form belong to the character before them.
const invisible = /[\p{Cf}\u034f\u115f\u1160\u3164\uffa0\u{e0000}-\u{e0fff}]/gu;

/** The text without characters that nobody sees: an agent may drop them on the way. */
export const visible = (text: string): string => text.replace(invisible, "");

/** The words of a text, whatever the blanks and line breaks between them; the pattern of no dots is a blank as well. */
export const plainWords = (text: string): string =>
  visible(pasteable(text))
    .normalize("NFC")
    .replace(/[\s\u2800]+/g, " ")
    .trim();

/** Equal in words. Empty texts are equal to nothing. */
export const sameText = (one: string, other: string): boolean => plainWords(one) !== "" && plainWords(one) === plainWords(other);

/** Whether a message shown as waiting is ours; long ones are cut. */
export function isStartOf(shown: string, text: string): boolean {
  const seen = plainWords(shown).replace(/(…|\.\.\.)$/, "");
  const first = plainWords(
    pasteable(text)
      .split("\n")
      .find((line) => line.trim() !== "") ?? "",
  );
  return seen !== "" && (seen === first || (seen.length >= 20 && first.startsWith(seen)));
}
