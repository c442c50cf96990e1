/** Names of files in an export: those that lead every program on every system to the same place inside it, and each to its own. */

/** Letters, digits, and signs that no system reads as anything else; neither hidden nor ending in what Windows drops. */
const PLAIN = /^[A-Za-z0-9_-](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?$/;

/** Whether every part of the name is of such signs. No folder of its own, no way out, no drive. */
export const isPlainFileName = (name: string): boolean => name.split("/").every((part) => PLAIN.test(part));

/** The first two of these plain names that would be written to one place: the same but for case, or one the folder of the other. */
export function firstClash(names: readonly string[]): readonly [string, string] | null {
  const files = new Map<string, string>();
  for (const name of names) {
    const folded = name.toLowerCase();
    const other = files.get(folded);
    if (other !== undefined) return [other, name];
    files.set(folded, name);
  }
  for (const name of names) {
    const folded = name.toLowerCase();
    for (let at = folded.indexOf("/"); at !== -1; at = folded.indexOf("/", at + 1)) {
      const other = files.get(folded.slice(0, at));
      if (other !== undefined) return [other, name];
    }
  }
  return null;
}
