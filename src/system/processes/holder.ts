/** Whose something is: a process named so that nobody else is ever taken for it, whatever the clock does, and proof that it is gone. */
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import type { Holder } from "../../core/dispatch/holder.ts";
import type { Env } from "./environment.ts";
import { alive, startedAt } from "./processes.ts";

const linux = process.platform === "linux";

let world: string | null | undefined;
/**
 * Where a pid means what it means here: this boot of this machine, and on Linux this namespace of pids. macOS keeps the time at which a
 * process was started, as it was told then, so that the host's name is enough there.
 */
function thisWorld(): string | null {
  if (world !== undefined) return world;
  try {
    world = linux ? `${readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim()} ${readlinkSync("/proc/self/ns/pid")}` : hostname();
  } catch {
    world = null;
  }
  return world;
}

/** When a process was started, in a form that a set clock does not move; null when it is gone or not told. A dead child counts as gone. */
async function bornAt(pid: number, env: Env): Promise<string | null> {
  if (!linux) {
    const at = await startedAt(pid, env);
    return at === null ? null : String(at);
  }
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}

/** This process; null when the system does not tell enough to find it again. */
export async function thisHolder(env: Env): Promise<Holder | null> {
  const [where, born] = [thisWorld(), await bornAt(process.pid, env)];
  return where === null || born === null ? null : { world: where, pid: process.pid, born };
}

/** Whether it is certain that this process has ended. False too for one of another host, of which nothing can be seen. */
export async function isGone({ world: where, pid, born }: Holder, env: Env): Promise<boolean> {
  if (where !== thisWorld()) return false;
  if (!alive(pid)) return true;
  const now = await bornAt(pid, env);
  // Not told is no proof, unless it went away while it was asked for. What Linux hides is a dead child.
  return now === null ? linux || !alive(pid) : now !== born;
}
