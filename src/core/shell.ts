/** Words quoted for a POSIX shell, for commands that people or agents copy. */

/** The word as it is when harmless, else in single quotes. */
export const quoteWord = (word: string): string => (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

/** A whole command line. */
export const quoteCommand = (words: readonly string[]): string => words.map(quoteWord).join(" ");
