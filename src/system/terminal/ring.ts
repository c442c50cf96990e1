/** Ringing the terminals that show a session of tmux. */
import { closeSync, constants, openSync, writeSync } from "node:fs";
import type { Env } from "../processes/environment.ts";
import { tmuxResult } from "./tmux.ts";

const BEL = "\x07";

/** Rings each of them; gives how many rang. A terminal that does not take it at once is left alone. */
export async function ringClients(env: Env): Promise<number> {
  const listed = await tmuxResult(env, ["list-clients", "-F", "#{client_tty}"]).catch(() => null);
  const terminals = listed?.code === 0 ? listed.stdout.split("\n").filter((path) => path.startsWith("/dev/")) : [];
  let rang = 0;
  for (const path of new Set(terminals)) {
    try {
      const fd = openSync(path, constants.O_WRONLY | constants.O_NOCTTY | constants.O_NONBLOCK);
      try {
        writeSync(fd, BEL);
        rang++;
      } finally {
        closeSync(fd);
      }
    } catch {
      // It has gone, or is somebody else's.
    }
  }
  return rang;
}
