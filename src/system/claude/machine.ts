/** Claude Code on this machine: the machine half of its port. It has no lock and holds no file open; its own list of sessions tells all. */
import type { AgentMachine, Writer } from "../../core/agent/machine.ts";
import { addToInbox } from "./inbox.ts";
import { scriptedMessages } from "./messages-api.ts";
import { livingSessions, registryFile, registryFolder } from "./registry.ts";
import { placeOfTranscript, transcriptOf, transcriptPlace, transcriptsSince } from "./transcripts.ts";

function writer(home: string, sessionId: string): Writer {
  const own = livingSessions(home).filter(({ id }) => id === sessionId);
  return { held: own.length > 0, pid: own.length === 1 ? own[0]!.pid : null };
}

export const claudeMachine: AgentMachine = {
  transcriptOf,
  placeOfTranscript,
  transcriptPlace,
  nextTranscript: () => null,
  newestTranscript: placeOfTranscript,
  transcriptsSince,
  writer,
  list: { sessions: livingSessions, folder: registryFolder },
  written: (home) => new Map(livingSessions(home).map(({ id, pid }) => [id, pid])),
  writerFile: (home, sessionId) => registryFile(home, livingSessions(home).find(({ id }) => id === sessionId)?.pid ?? 0),
  queue: { add: addToInbox, withdraw: null },
  served: null,
  scriptedModel: scriptedMessages,
  homeFacts: () => ({ daemonRunning: false, writerLocks: false }),
};
