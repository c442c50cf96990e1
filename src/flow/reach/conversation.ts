/** What is left of the conversation of a session that has ended. */
import { isAbsolute } from "node:path";
import { agentOf } from "../../core/agent/agents.ts";
import type { Session } from "../../core/sessions/session.ts";
import { machineOf } from "../../system/agent/agents.ts";
import { isThere } from "../../system/files/text-file.ts";

/** Where the conversation on record lies now; null when nothing is left of it, or none is on record. */
export function conversationOf(session: Session): { readonly thread: string; readonly home: string | null } | null {
  const { codex_session_id: thread, codex_session_path: path } = session;
  if (thread === null || path === null) return null;
  const agent = agentOf(session);
  // Elsewhere a relative one would be another.
  if (!isAbsolute(path)) return null;
  const place = machineOf(agent).placeOfTranscript(path, thread);
  return agent.isSessionId(thread) && isThere(place) ? { thread, home: agent.transcript.homeOf(path) } : null;
}
