/** Who runs this command: the agent of a registered session, or anybody else. */
import type { Context } from "../../context.ts";
import { allAgents } from "../../core/agent/agents.ts";
import type { Session } from "../../core/sessions/session.ts";
import { sessionLine } from "../../system/agent/kinship.ts";
import { listProcesses } from "../../system/processes/processes.ts";

/** Variables with which an agent tells the commands that it runs which conversation theirs is. */
const OWN_THREAD = [...allAgents.map(({ selfVariable }) => selfVariable), "CLAUDE_CODE_SESSION_ID"];

/** Whether this command is the session's own: its agent says so in the environment, or stands above it among the processes. */
export async function asksItself(cx: Pick<Context, "env">, session: Session): Promise<boolean> {
  const threads = OWN_THREAD.flatMap((name) => cx.env[name] || []);
  if (session.codex_session_id !== null && threads.includes(session.codex_session_id)) return true;
  // What runs in another conversation is that one's, even where a shared server stands above both.
  if (threads.length > 0 || session.pid === null) return false;
  return (await sessionLine(process.pid, (await listProcesses(cx.env)) ?? [], cx.env)).includes(session.pid);
}
