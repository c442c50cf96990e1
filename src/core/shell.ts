/** Words quoted for a POSIX shell, for commands that people or agents copy. */

/**
 * The word as it is when harmless, else in single quotes. Quotes and backslashes in it stand outside of them, which fish reads like the
 * others; an equals sign in front is quoted, since zsh takes the rest for the name of a program.
 */
export const quoteWord = (word: string): string =>
  /^(?!=)[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/['\\]/g, "'\\$&'")}'`;

/** A whole command line. */
export const quoteCommand = (words: readonly string[]): string => words.map(quoteWord).join(" ");
