/** Codex's own index of threads, `state_<n>.sqlite` in its home: not ours, undocumented, so only read and never relied on. */
import { Database } from "bun:sqlite";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { IndexedThread } from "../core/agent/machine.ts";

/** The youngest index of this Codex home: the number in its name grows with versions. */
function indexFile(codexHome: string): string | null {
  let names: string[];
  try {
    names = readdirSync(codexHome);
  } catch {
    return null;
  }
  const numbers = names.flatMap((name) => /^state_(\d+)\.sqlite$/.exec(name)?.[1] ?? []).map(Number);
  return numbers.length === 0 ? null : join(codexHome, `state_${Math.max(...numbers)}.sqlite`);
}

/**
 * Threads that are not archived and were created at `since` (milliseconds) or later, youngest first.
 * Null when there is no index, or it has another shape than the one known.
 */
export function indexedThreads(codexHome: string, since: number): IndexedThread[] | null {
  const file = indexFile(codexHome);
  if (file === null) return null;
  try {
    const db = new Database(file, { readonly: true });
    try {
      db.run("pragma busy_timeout = 500");
      return db
        .query<IndexedThread, [number]>(
          `select id, rollout_path as rolloutPath, cwd, coalesce(created_at_ms, created_at * 1000) as createdAt, first_user_message as firstMessage
           from threads where archived = 0 and coalesce(created_at_ms, created_at * 1000) >= ? order by createdAt desc, id desc limit 200`,
        )
        .all(since)
        .filter((row) => typeof row.id === "string" && typeof row.rolloutPath === "string" && typeof row.cwd === "string");
    } finally {
      db.close();
    }
  } catch {
    return null;
  }
}
