/** Where Claude Code writes its sessions: `projects/<folder in letters and digits>/<session>.jsonl` of its home (measured with 2.1.332). */
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { claude } from "../../core/claude/claude.ts";
import { realPath } from "../files/folders.ts";

const projects = (home: string): string => join(home, "projects");

const names = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};

const writtenAt = (path: string): number => {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return 0;
  }
};

/** The transcript of a session below this home, wherever it was begun; null before its first words. */
export function transcriptOf(home: string, sessionId: string): string | null {
  if (!claude.isSessionId(sessionId)) return null;
  const found = names(projects(home))
    .map((folder) => join(projects(home), folder, `${sessionId}.jsonl`))
    .filter((path) => existsSync(path));
  // The same id in two folders is a copy that somebody made: the one that is written is meant.
  return found.sort((one, other) => writtenAt(other) - writtenAt(one))[0] ?? null;
}

/** A folder's name is cut here, and goes on with a short hash that we cannot know. */
const LONGEST = 200;

/** Where a session that was begun in this folder is written, also before it is; null when its path is too long to tell. */
export function transcriptPlace(home: string, sessionId: string, cwd: string): string | null {
  const slug = realPath(cwd).replace(/[^A-Za-z0-9]/g, "-");
  const known = transcriptOf(home, sessionId);
  return known ?? (slug.length > LONGEST || !claude.isSessionId(sessionId) ? null : join(projects(home), slug, `${sessionId}.jsonl`));
}

/** The same file where it lies now: its folder may have been another than was thought before it was written; else `path`. */
export function placeOfTranscript(path: string, sessionId: string | null): string {
  if (sessionId === null || existsSync(path)) return path;
  const home = claude.transcript.homeOf(path);
  return (home === null ? null : transcriptOf(home, sessionId)) ?? path;
}

/** Transcripts below this home last written at `since` (milliseconds) or later; those of helpers lie deeper. */
export const transcriptsSince = (home: string, since: number): string[] =>
  names(projects(home)).flatMap((folder) =>
    names(join(projects(home), folder))
      .map((name) => join(projects(home), folder, name))
      .filter((path) => path.endsWith(".jsonl") && claude.isSessionId(basename(path, ".jsonl")) && writtenAt(path) >= since),
  );

/** A change of mode is written at each prompt. */
const MODE_BACK = 4 << 20;
const MODE = /^\{"type":"permission-mode","permissionMode":"(\w+)"/gm;

/** The newest permission mode that stands in a transcript; null when its end tells none. */
export function permissionModeIn(path: string | null): string | null {
  if (path === null) return null;
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, MODE_BACK));
    const read = readSync(file, bytes, 0, bytes.length, size - bytes.length);
    return [...bytes.toString("latin1", 0, read).matchAll(MODE)].at(-1)?.[1] ?? null;
  } finally {
    closeSync(file);
  }
}
