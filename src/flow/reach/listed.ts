/** What an agent itself lists of its living sessions, for one that somebody means. */
import type { Agent, TranscriptHead } from "../../core/agent/agent.ts";
import type { LiveSession } from "../../core/agent/machine.ts";
import { Failure } from "../../core/failure.ts";
import { machineOf } from "../../system/agent/agents.ts";

/** The living processes that run the session, as its agent itself lists them; [] where it keeps no list. */
export const listedAs = (agent: Agent, home: string, id: string): LiveSession[] =>
  (machineOf(agent).list?.sessions(home) ?? []).filter((each) => each.id === id);

/** @throws Failure when two processes run the session: what is said to one of them would show in the record of both */
export function refuseShared(agent: Agent, home: string, id: string): void {
  const pids = listedAs(agent, home, id).map(({ pid }) => pid);
  if (pids.length < 2) return;
  throw new Failure(`processes ${pids.join(" and ")} both run the ${agent.label} session ${id}`, {
    hint: `end all but one of them: what is said to one shows in the record of all`,
  });
}

/** What the transcript at this path will begin with, of a living session to which nothing was said yet; null: no such session is listed. */
export function headBeforeWords(agent: Agent, path: string): TranscriptHead | null {
  const home = agent.transcript.homeOf(path);
  const { list, transcriptPlace } = machineOf(agent);
  if (home === null || list === null) return null;
  const session = list.sessions(home).find(({ id, cwd }) => transcriptPlace(home, id, cwd) === path);
  if (session === undefined) return null;
  return { id: session.id, cwd: session.cwd, timestamp: null, originator: null, cliVersion: null, conversation: true };
}
