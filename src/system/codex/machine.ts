/** Codex on this machine: the machine half of its port. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { AgentMachine, QueueAnswer, QueuePlace } from "../../core/agent/machine.ts";
import { codex } from "../../core/codex/codex.ts";
import { type Env, which } from "../processes/environment.ts";
import { lockFolder, lockPath, writerLock, writtenThreads } from "./lock.ts";
import { addToQueue, withdrawFromQueue } from "./queue.ts";
import { scriptedResponses } from "./responses-api.ts";
import { rolloutsSince } from "./rollout-scan.ts";
import { clearServed, connectServed } from "./served-line.ts";
import { newestRollout, nextRollout, placeOfRollout, rolloutOfThread } from "./thread-files.ts";

/** Does an errand at the queue with the program that is on PATH, in the home in which the thread is written. */
async function atQueue<T>(
  { home, env }: QueuePlace,
  errand: (program: string, env: Env) => Promise<QueueAnswer<T>>,
): Promise<QueueAnswer<T>> {
  const program = which(codex.program, env);
  if (program === null) return { error: `${codex.program} is not on PATH, which the queue of its threads needs` };
  return errand(program, { ...env, [codex.home.variable]: home });
}

export const codexMachine: AgentMachine = {
  transcriptOf: rolloutOfThread,
  placeOfTranscript: placeOfRollout,
  transcriptPlace: () => null,
  nextTranscript: nextRollout,
  newestTranscript: newestRollout,
  transcriptsSince: rolloutsSince,
  writer: writerLock,
  list: null,
  written: writtenThreads,
  writerFile: lockPath,
  queue: {
    add: (place, ...what) => atQueue(place, (program, env) => addToQueue(program, env, ...what)),
    withdraw: (place, ...what) => atQueue(place, (program, env) => withdrawFromQueue(program, env, ...what)),
  },
  served: { connect: connectServed, clear: clearServed },
  scriptedModel: scriptedResponses,
  homeFacts: (home) => ({
    daemonRunning: existsSync(join(home, "app-server-control", "app-server-control.sock")),
    writerLocks: existsSync(lockFolder(home)),
  }),
};
