/** Several messages said to a manager as one: a line for each ended turn, the words of whoever wrote one whole. */
import { firstLine, oneLine } from "../plain-text.ts";
import { quoteWord } from "../shell.ts";

interface OfTask {
  readonly task: string;
  /** Name of the session that it is about, or that says it. */
  readonly from: string;
  /** Why it may concern nobody any more, in words; null: it does. */
  readonly over: string | null;
}

/** The end of a turn. */
export interface EndedTurn extends OfTask {
  /** Why it failed, in a few words; null: it ended well. */
  readonly failed: string | null;
  /** The last words of the worker; null: it said none. */
  readonly words: string | null;
  /** How many turns of before the binding are not told one by one. */
  readonly earlier: number;
}

/** What somebody wrote. */
export interface WrittenMessage extends OfTask {
  readonly text: string;
}

export type DigestEntry = EndedTurn | WrittenMessage;

const LONGEST_WORDS = 160;

/** The first line of what an agent said, in quotes that it cannot leave: one line, cut, without what a terminal would obey. */
export function firstWords(said: string): string | null {
  const first = firstLine(said);
  if (first === null) return null;
  const signs = [...first];
  return JSON.stringify(signs.length <= LONGEST_WORDS ? first : `${signs.slice(0, LONGEST_WORDS).join("").trimEnd()}…`);
}

/** A line that the text does not hold, to stand before and behind it. */
function fenceFor(text: string): string {
  const longest = Math.max(0, ...(text.match(/-+/g) ?? []).map((run) => run.length));
  return "-".repeat(Math.max(5, longest + 1));
}

const name = (text: string): string => oneLine(text).trim();

function lineOf(entry: DigestEntry): string {
  const { task, from, over } = entry;
  const about = `Task ${name(task)}${over === null ? "" : ` (${over})`}`;
  if ("text" in entry) {
    const fence = fenceFor(entry.text);
    return `${about}, a message from the side of ${name(from)}, whole between the lines:\n${fence}\n${entry.text}\n${fence}`;
  }
  const { failed, words, earlier } = entry;
  const first = words === null ? null : firstWords(words);
  const said = first === null ? "" : ` It says: ${first}`;
  const how = failed === null ? "seems to have finished a turn" : `its turn failed: ${failed}`;
  const before =
    earlier === 0
      ? ""
      : ` ${earlier} earlier ${earlier === 1 ? "turn" : "turns"} of before the binding ${earlier === 1 ? "is" : "are"} not told.`;
  // Only a task that is bound to it can be observed.
  const look = over === null ? "cycle" : "replay";
  return `${about}, worker ${name(from)}: ${how}.${said}${before} Look: conveyor ${look} ${quoteWord(name(task))}`;
}

/**
 * The text for the manager: what came, in its order, and what to do about it. Nothing that a worker said can pass for a line of ours.
 * @param manager its name, for the one look at all its tasks
 */
export function digestMessage(manager: string, entries: readonly DigestEntry[]): string {
  const tasks = new Set(entries.flatMap(({ task, over }) => (over === null ? task : [])));
  const all = tasks.size > 1 ? ` One look for all tasks: conveyor cycle --manager ${quoteWord(name(manager))}.` : "";
  return [
    `${entries.length} messages came together:`,
    ...entries.map((entry, index) => `${index + 1}. ${lineOf(entry)}`),
    `Check evidence and acceptance criteria before you believe any of it.${all} Then decide for each: finish the task, ask its worker ` +
      "for fixes, or keep watching.",
  ].join("\n");
}
