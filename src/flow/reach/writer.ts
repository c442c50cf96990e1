/** Who writes a session's thread: its writer lock and its registered process. */
import { agentOf } from "../../core/agent/agents.ts";
import type { Session } from "../../core/sessions/session.ts";
import type { WriterSigns } from "../../core/sessions/worker-state.ts";
import { alive } from "../../system/processes/processes.ts";
import { listedAt } from "./open-turn.ts";
import { recipientOf, threadLock } from "./recipient.ts";

export function writerSigns(session: Session): WriterSigns {
  const { codex_session_path: path, pid } = session;
  const listed = path === null || session.state !== "active" ? null : listedAt(agentOf(session), path);
  return {
    lockHeld: threadLock(recipientOf(session))?.held ?? null,
    processAlive: pid === null ? null : alive(pid),
    restsSince: listed?.status === "idle" ? listed.statusAt : null,
  };
}
