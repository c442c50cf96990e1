/** Who runs this command: the agent of a registered session, or anybody else. */
import type { Context } from "../../context.ts";
import { allAgents } from "../../core/agent/agents.ts";
import { Failure } from "../../core/failure.ts";
import { startedTooLate } from "../../core/sessions/reconcile.ts";
import type { Session } from "../../core/sessions/session.ts";
import { listSessions } from "../../store/sessions/list.ts";
import type { Store } from "../../store/store.ts";
import { sessionLine } from "../../system/agent/kinship.ts";
import { isThere } from "../../system/files/text-file.ts";
import { listProcesses, startedAt } from "../../system/processes/processes.ts";

/** Variables with which an agent tells the commands that it runs which conversation theirs is. */
const OWN_THREAD = allAgents.map(({ selfVariable }) => selfVariable);

const ownThreads = (cx: Pick<Context, "env">): string[] => OWN_THREAD.flatMap((name) => cx.env[name] || []);
const ownLine = async (cx: Pick<Context, "env">): Promise<number[]> =>
  sessionLine(process.pid, (await listProcesses(cx.env)) ?? [], cx.env);

/** Whether this command is the session's own: its agent says so in the environment, or stands above it among the processes. */
export async function asksItself(cx: Pick<Context, "env">, session: Session): Promise<boolean> {
  const threads = ownThreads(cx);
  if (session.codex_session_id !== null && threads.includes(session.codex_session_id)) return true;
  // What runs in another conversation is that one's, even where a shared server stands above both.
  if (threads.length > 0 || session.pid === null) return false;
  return (await ownLine(cx)).includes(session.pid);
}

/**
 * The session that this command is run by; null: a person. An agent that nothing on record names is `unknown`. This is order, not a wall:
 * whoever has the user's rights can get round it.
 */
export async function askerOf(cx: Pick<Context, "env">, store: Store): Promise<Session | "unknown" | null> {
  const active = listSessions(store).filter(({ state }) => state === "active");
  const threads = ownThreads(cx);
  if (threads.length > 0) return active.find(({ codex_session_id: id }) => id !== null && threads.includes(id)) ?? "unknown";
  const line = await ownLine(cx);
  for (const session of active) {
    const { pid } = session;
    if (pid === null || !line.includes(pid)) continue;
    // After a restart its pid may be that of a person's own shell.
    const started = await startedAt(pid, cx.env);
    if (started === null || !startedTooLate(session, started)) return session;
  }
  return null;
}

/** The records of the folder that a command is run in; null: there are none, and none are made. */
export const recordsHere = (cx: Context): Store | null => (isThere(cx.storePath()) ? cx.store() : null);

/**
 * Refuses what is a person's to do to every agent.
 * @param store null: there are no records, and only the environment tells
 * @param what what is done, as the end of "only a person …"; @param command how they do it
 * @throws Failure when an agent runs this command
 */
export async function needPerson(cx: Pick<Context, "env">, store: Store | null, what: string, command: string): Promise<void> {
  const isPerson = store === null ? ownThreads(cx).length === 0 : (await askerOf(cx, store)) === null;
  if (isPerson) return;
  throw new Failure(`only a person ${what}`, { hint: `they do it with ${command}, outside of any agent's session` });
}
