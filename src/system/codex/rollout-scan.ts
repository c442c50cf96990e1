/** Rollouts below a Codex home: that of a thread, and those that no process and no index points to, by age. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { codex } from "../../core/codex/codex.ts";

const DAY = 86_400_000;

const sessionsFolder = (home: string): string => join(home, "sessions");

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

/** The rollout of a thread below `<home>/sessions/YYYY/MM/DD`, newest day first; null when there is none. */
export function rolloutOfThread(home: string, threadId: string): string | null {
  if (!codex.isSessionId(threadId)) return null;
  const root = sessionsFolder(home);
  const newestFirst = (folder: string) => list(folder).sort().reverse();
  for (const year of newestFirst(root))
    for (const month of newestFirst(join(root, year)))
      for (const day of newestFirst(join(root, year, month)))
        for (const name of newestFirst(join(root, year, month, day)))
          if (name.startsWith("rollout-") && name.endsWith(`-${threadId}.jsonl`)) return join(root, year, month, day, name);
  return null;
}
