/** What a wait came to, for a person. */
import { quoteWord } from "../core/shell.ts";

interface Told {
  readonly facts: readonly { readonly text: string }[];
  readonly cursor: string;
  readonly elapsed_seconds: number;
}

/** Each fact in a line, or that nothing came; then how to go on from there. */
export function waitText(program: string, asked: string, { facts, cursor, elapsed_seconds }: Told): string {
  const lines = facts.length > 0 ? facts.map(({ text }) => text) : [`nothing of that came in ${elapsed_seconds} s: ${asked}`];
  return [...lines, `what comes after this: ${program} wait ${asked} --since ${quoteWord(cursor)}`].join("\n");
}
