/** How messages reach a session, with what only a look at the machine tells: whether its thread is being written right now. */
import { agentOf } from "../../core/agent/agents.ts";
import { type Communication, communication, type CommunicationOptions, type Session } from "../../core/sessions/session.ts";
import { threadLock } from "./recipient.ts";

type Reached = Parameters<typeof communication>[0] & Pick<Session, "name" | "agent">;

/** As {@link communication}; a session without tmux takes pushed messages through its agent's queue while its thread is live. */
export function reachable(session: Reached, options: Omit<CommunicationOptions, "live">): Communication {
  const lock = session.tmux_session
    ? null
    : threadLock({ agent: agentOf(session), threadId: session.codex_session_id, rolloutPath: session.codex_session_path });
  return communication(session, { ...options, live: lock?.held === true });
}
