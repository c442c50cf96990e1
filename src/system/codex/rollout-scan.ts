/** Rollouts below a Codex home by age, and the first words in one: for threads that no process and no index points to. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseRecord, readFact } from "../../core/codex/rollout.ts";
import { sessionsFolder } from "./home.ts";
import { openRollout } from "./rollout-reader.ts";

const DAY = 86_400_000;
/** The instructions in front of the first user text are long; beyond this there is none. */
const HEAD = 4 << 20;

/** Rollout files last written at `since` (milliseconds) or later, in the folders of that day and after. */
export function rolloutsSince(codexHome: string, since: number): string[] {
  const root = sessionsFolder(codexHome);
  // Folders are named by local time, which may lie a day beside UTC.
  const first = new Date(since - DAY).toISOString().slice(0, 10).replaceAll("-", "/");
  const found: string[] = [];
  for (const day of daysOf(root)) {
    if (day < first) continue;
    for (const name of list(join(root, day))) {
      const path = join(root, day, name);
      if (/^rollout-.*\.jsonl$/.test(name) && writtenAt(path) >= since) found.push(path);
    }
  }
  return found;
}

const list = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};

const daysOf = (root: string): string[] =>
  list(root).flatMap((year) =>
    list(join(root, year)).flatMap((month) => list(join(root, year, month)).map((day) => `${year}/${month}/${day}`)),
  );

function writtenAt(path: string): number {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}

/** The first user text of a rollout, or null while there is none. */
export function firstPrompt(path: string): string | null {
  const file = openRollout(path);
  if (file === null) return null;
  try {
    for (let from = 0; from < HEAD;) {
      const { lines, next, more } = file.read(from);
      for (const { text } of lines) {
        const record = text === null ? null : parseRecord(text);
        const fact = record === null ? null : readFact(record);
        if (fact?.kind === "user") return fact.text;
      }
      if (!more || next === from) return null;
      from = next;
    }
    return null;
  } finally {
    file.close();
  }
}
