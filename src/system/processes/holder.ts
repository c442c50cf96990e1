/** Whose something is: a process named so that nobody else is ever taken for it, whatever the clock does, and proof that it is gone. */
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import type { Holder } from "../../core/dispatch/holder.ts";
import type { Env } from "./environment.ts";
import { alive, startOf } from "./processes.ts";

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

/** This process; null when the system does not tell enough to find it again. */
export async function thisHolder(env: Env): Promise<Holder | null> {
  const where = thisWorld();
  const born = where === null ? null : await startOf(process.pid, env);
  return where === null || born === null ? null : { world: where, pid: process.pid, born };
}

/** Whether it is certain that this process has ended. False too for one of another host, of which nothing can be seen. */
export async function isGone({ world: where, pid, born }: Holder, env: Env): Promise<boolean> {
  if (where !== thisWorld()) return false;
  if (!alive(pid)) return true;
  const now = await startOf(pid, env);
  // Not told is no proof, unless it went away while it was asked for.
  return now === null ? !alive(pid) : now !== born;
}
