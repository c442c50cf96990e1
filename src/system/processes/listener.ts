/** Who listens on a port of this machine, for the message that it is taken. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { Env } from "./environment.ts";
import { runProgram } from "./run.ts";
import { lsofPath } from "./processes.ts";

export interface Listener {
  readonly pid: number;
  /** Its command line, as far as the system tells. */
  readonly command: string | null;
}

/** The process that listens on this TCP port, or null when the system would not say. */
export async function listenerOf(port: number, env: Env): Promise<Listener | null> {
  const pid = process.platform === "linux" ? linuxListener(port) : await askedListener(port, env);
  return pid === null ? null : { pid, command: await commandOf(pid, env) };
}

const LISTEN = "0A";

function linuxListener(port: number): number | null {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  const sockets = new Set<string>();
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const line of readText(table).split("\n").slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (fields[3] === LISTEN && fields[1]?.split(":")[1] === wanted) sockets.add(`socket:[${fields[9]}]`);
    }
  }
  if (sockets.size === 0) return null;
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const owner = pids.find((pid) => descriptors(pid).some((descriptor) => sockets.has(descriptor)));
  return owner === undefined ? null : Number(owner);
}

function readText(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

function descriptors(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`);
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

async function askedListener(port: number, env: Env): Promise<number | null> {
  const result = await runProgram([lsofPath(env), "-w", "-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-Fp"], { env, timeoutMs: 4000 });
  const pid = /^p(\d+)$/m.exec(result.stdout)?.[1];
  return pid === undefined ? null : Number(pid);
}

async function commandOf(pid: number, env: Env): Promise<string | null> {
  if (process.platform === "linux")
    return (
      readText(`/proc/${pid}/cmdline`)
        .split("\0")
        .filter((word) => word !== "")
        .join(" ") || null
    );
  const result = await runProgram(["ps", "-ww", "-o", "command=", "-p", String(pid)], { env });
  return result.stdout.trim() || null;
}
