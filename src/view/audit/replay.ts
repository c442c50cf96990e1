/** A replay as text. */
import { harmless } from "../../core/plain-text.ts";
import type { Entry, ReplayFormat } from "../../core/audit/replay.ts";
import { quoteWord } from "../../core/shell.ts";
import type { Task } from "../../core/tasks/task.ts";

/** The time of day as it was written. */
const clock = (timestamp: string | null): string => (timestamp ?? "").replace(/^[^T]*T/, "").replace(/Z$/, "");

/** One entry; a transcript segment with its text below. */
export function entryLines(entry: Entry): string[] {
  const line = `${clock(entry.timestamp)}  ${entry.actor.padEnd(16)} ${entry.summary}`;
  return entry.content === undefined ? [line] : [line, entry.content === null ? "[metadata only]" : harmless(entry.content)];
}

/** The head of a replay; of a task that is over also how it ended. */
export function replayHead(task: Task, format: ReplayFormat, finish: Entry | null, program: string): string[] {
  const closing = finish === null || (task.state !== "done" && task.state !== "failed");
  return [
    `Task: ${task.name}`,
    `State: ${task.state}`,
    `Mode: ${format}`,
    "",
    ...(closing
      ? []
      : [
          "Finished:",
          `  ${finish.summary}`,
          `  ${program} replay ${quoteWord(task.id)} --format transcript`,
          `  ${program} mutation-audit ${quoteWord(task.id)}`,
          "",
        ]),
  ];
}

/** The whole replay, line by line. */
export function* replayText(head: readonly string[], entries: Iterable<Entry>): Generator<string> {
  yield* head;
  for (const entry of entries) yield* entryLines(entry);
}
