/** How far the rollout of a session has grown beyond what is stored of it. */
import type { Session } from "../../core/sessions/session.ts";
import { agentOf } from "../../core/agent/agents.ts";
import { machineOf } from "../../system/agent/agents.ts";
import { isPacked } from "../../system/files/packed.ts";
import { sizeOnDisk } from "../../system/files/rollout-reader.ts";

export interface Grown {
  readonly session: Session;
  /** The file in which something new stands. */
  readonly path: string;
  readonly size: number;
  /** Bytes of it already stored. */
  readonly offset: number;
}

/** What is not stored yet, also in a file into which the thread was rewound; null when that is nothing. */
export function unread(session: Session): Grown | null {
  const { codex_session_path, codex_session_id: thread, last_ingest_offset, state } = session;
  if (codex_session_path === null || state !== "active") return null;
  const machine = machineOf(agentOf(session));
  const path = machine.placeOfTranscript(codex_session_path, thread);
  const offset = last_ingest_offset ?? 0;
  const size = sizeOnDisk(path);
  if (size !== null && size !== offset && !isPacked(path)) return { session, path, size, offset };
  const next = machine.nextTranscript(path, thread);
  const nextSize = next === null ? null : sizeOnDisk(next);
  return next === null || nextSize === null ? null : { session, path: next, size: nextSize, offset: 0 };
}
