/** Codex on this machine: the machine half of its port. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { AgentMachine } from "../../core/agent/machine.ts";
import { lockFolder, lockPath, writerLock, writtenThreads } from "./lock.ts";
import { addToQueue, withdrawFromQueue } from "./queue.ts";
import { rolloutsSince } from "./rollout-scan.ts";
import { clearServed, connectServed } from "./served-line.ts";
import { newestRollout, nextRollout, placeOfRollout, rolloutOfThread } from "./thread-files.ts";

export const codexMachine: AgentMachine = {
  transcriptOf: rolloutOfThread,
  placeOfTranscript: placeOfRollout,
  nextTranscript: nextRollout,
  newestTranscript: newestRollout,
  transcriptsSince: rolloutsSince,
  writer: writerLock,
  written: writtenThreads,
  writerFile: lockPath,
  queue: { add: addToQueue, withdraw: withdrawFromQueue },
  served: { connect: connectServed, clear: clearServed },
  homeFacts: (home) => ({
    daemonRunning: existsSync(join(home, "app-server-control", "app-server-control.sock")),
    writerLocks: existsSync(lockFolder(home)),
  }),
};
