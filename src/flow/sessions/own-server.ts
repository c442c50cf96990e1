/** Whether a session that is about to be registered was started by us with a server of its own, and is only not on record yet. */
import type { Context } from "../../context.ts";
import { machineOf } from "../../system/agent/agents.ts";
import { sessionLine } from "../../system/agent/kinship.ts";
import { commandLineOf, listProcesses } from "../../system/processes/processes.ts";
import type { Identity } from "./identify.ts";
import { placeIn, readOutcome } from "./served-place.ts";

interface OwnServer {
  /** The process in its pane, which lives as long as the session. */
  readonly pid: number;
  readonly socket: string;
}

/**
 * The server that writes the conversation, where the process in a pane of ours keeps it: told by the words of both, since a sandbox may
 * keep this command from asking it. Null for any other.
 */
export async function ownServer(cx: Context, { agent, rolloutPath, threadId, pid }: Identity): Promise<OwnServer | null> {
  const home = agent.transcript.homeOf(rolloutPath);
  const writer = (home === null ? null : machineOf(agent).writer(home, threadId)?.pid) ?? pid;
  const processes = writer === null || agent.served === null ? null : await listProcesses(cx.env);
  if (writer === null || processes === null) return null;
  const words = (await commandLineOf(writer, cx.env)) ?? [];
  for (const parent of await sessionLine(writer, processes, cx.env)) {
    const place = placeIn(await commandLineOf(parent, cx.env));
    // An agent that was started by hand below the tools of another session is written by itself.
    if (place === null || !words.includes(`unix://${place.socket}`)) continue;
    return readOutcome(place)?.launch === "protocol" ? { pid: parent, socket: place.socket } : null;
  }
  return null;
}
