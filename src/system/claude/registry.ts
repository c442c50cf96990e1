/**
 * The living sessions of Claude Code, as it lists them itself: a file for each process in `sessions` of its home, which goes with the
 * process unless that was killed (measured with 2.1.332).
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { LiveSession } from "../../core/agent/machine.ts";
import { claude } from "../../core/claude/claude.ts";
import { isObject, type JsonObject } from "../../core/json.ts";
import { alive, startTicks } from "../processes/processes.ts";

/** A session, and the socket on which it takes messages. */
export interface RegisteredClaude extends LiveSession {
  readonly inbox: string | null;
}

export const registryFolder = (home: string): string => join(home, "sessions");
export const registryFile = (home: string, pid: number): string => join(registryFolder(home), `${pid}.json`);

const textOf = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

function entryAt(path: string): JsonObject | null {
  // It is written in place: what does not parse is whole at the next look.
  for (let look = 0; look < 2; look += 1) {
    try {
      const entry: unknown = JSON.parse(readFileSync(path, "utf8"));
      return isObject(entry) ? entry : null;
    } catch {
      continue;
    }
  }
  return null;
}

const STATUS: Readonly<Record<string, LiveSession["status"]>> = { idle: "idle", shell: "idle", busy: "busy", waiting: "waiting" };

function sessionIn(entry: JsonObject): RegisteredClaude | null {
  const { pid, sessionId, procStart, kind } = entry;
  if (typeof pid !== "number" || typeof sessionId !== "string" || !claude.isSessionId(sessionId)) return null;
  // One that runs in the background shows itself to nobody.
  if (kind !== "interactive" || !alive(pid)) return null;
  const ticks = startTicks(pid);
  // A killed one leaves its file behind, and its pid may be another's by now.
  if (ticks !== null && typeof procStart === "string" && procStart !== ticks) return null;
  return {
    id: sessionId,
    pid,
    cwd: textOf(entry.cwd) ?? "",
    paneId: /\.(%\d+)$/.exec(textOf(entry.tmux) ?? "")?.[1] ?? null,
    startedAt: typeof entry.startedAt === "number" ? entry.startedAt : null,
    status: STATUS[String(entry.status)] ?? null,
    statusAt: typeof entry.statusUpdatedAt === "number" ? entry.statusUpdatedAt : null,
    waitsFor: entry.status === "waiting" ? textOf(entry.waitingFor) : null,
    inbox: textOf(entry.messagingSocketPath),
  };
}

/** Every interactive session of this home whose process lives. */
export function livingSessions(home: string): RegisteredClaude[] {
  let names: string[];
  try {
    names = readdirSync(registryFolder(home));
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    const entry = /^\d+\.json$/.test(name) ? entryAt(join(registryFolder(home), name)) : null;
    const session = entry === null ? null : sessionIn(entry);
    // A file of another name than its pid was put there by somebody else.
    return session !== null && name === `${session.pid}.json` ? [session] : [];
  });
}
