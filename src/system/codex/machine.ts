/** Codex on this machine: the machine half of its port. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { AgentMachine } from "../../core/agent/machine.ts";
import { lockFolder, writerLock, writtenThreads } from "./lock.ts";
import { addToQueue, withdrawFromQueue } from "./queue.ts";
import { rolloutOfThread, rolloutsSince } from "./rollout-scan.ts";

export const codexMachine: AgentMachine = {
  transcriptOf: rolloutOfThread,
  transcriptsSince: rolloutsSince,
  writer: writerLock,
  written: writtenThreads,
  queue: { add: addToQueue, withdraw: withdrawFromQueue },
  homeFacts: (home) => ({
    daemonRunning: existsSync(join(home, "app-server-control", "app-server-control.sock")),
    writerLocks: existsSync(lockFolder(home)),
  }),
};
