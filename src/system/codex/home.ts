/** Where Codex keeps its things. */
import { readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Env } from "../processes/environment.ts";

/** CODEX_HOME, else `~/.codex`. */
export const codexHome = (env: Env): string => env.CODEX_HOME || join(env.HOME || homedir(), ".codex");

export const sessionsFolder = (home: string): string => join(home, "sessions");

/** The Codex home that a rollout lies in, which need not be the one of this environment; null when its path is of another form. */
export const homeOfRollout = (path: string): string | null => /^(.+)\/sessions\/(?:[^/]+\/)*rollout-[^/]*\.jsonl$/.exec(path)?.[1] ?? null;

const names = (folder: string): string[] => {
  try {
    return readdirSync(folder).sort().reverse();
  } catch {
    return [];
  }
};

/** Thread ids are uuids; nothing else is ever made part of a path. */
export const isThreadId = (text: string): boolean => /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text);

/** The rollout of a thread below `<home>/sessions/YYYY/MM/DD`, newest day first; null when there is none. */
export function rolloutOfThread(home: string, threadId: string): string | null {
  if (!isThreadId(threadId)) return null;
  const root = sessionsFolder(home);
  for (const year of names(root))
    for (const month of names(join(root, year)))
      for (const day of names(join(root, year, month)))
        for (const name of names(join(root, year, month, day)))
          if (name.startsWith("rollout-") && name.endsWith(`-${threadId}.jsonl`)) return join(root, year, month, day, name);
  return null;
}
