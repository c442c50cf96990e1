/** Whose something is: a process named so that nobody else is ever taken for it, whatever the clock does, and proof that it is gone. */
import { readFileSync, readlinkSync } from "node:fs";
import type { Holder } from "../../core/dispatch/holder.ts";
import type { Env } from "./environment.ts";
import { alive, startOf } from "./processes.ts";
import { thisHost } from "./this-process.ts";

const linux = process.platform === "linux";

/** What identifies the installation, which a name alone does not; containers often have none. */
function machineId(): string {
  try {
    return readFileSync("/etc/machine-id", "latin1").trim() || "-";
  } catch {
    return "-";
  }
}

let world: string | null | undefined;
/**
 * Where a pid means what it means here: on Linux this boot and this namespace of pids, and behind them the machine, by which another boot of
 * it is told from another machine. macOS keeps the time at which a process was started, as it was told then, so that the host's name is
 * enough there.
 */
function thisWorld(): string | null {
  if (world !== undefined) return world;
  try {
    const boot = (): string => readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    world = linux ? [boot(), readlinkSync("/proc/self/ns/pid"), machineId(), thisHost()].join(" ") : thisHost();
  } catch {
    world = null;
  }
  return world;
}

/** How a world is seen from here: as ours, as an earlier boot of this machine, or not at all. */
function seen(where: string): "here" | "earlier" | "elsewhere" {
  const here = thisWorld();
  if (here === null) return "elsewhere";
  if (!linux) return where === here ? "here" : "elsewhere";
  const [boot, namespace, ...machine] = where.split(" ");
  const [ourBoot, ourNamespace, ...ourMachine] = here.split(" ");
  // The name of a machine may change while it runs, and older records lack it.
  if (boot === ourBoot) return namespace === ourNamespace ? "here" : "elsewhere";
  return machine.join(" ") === ourMachine.join(" ") ? "earlier" : "elsewhere";
}

/** This process; null when the system does not tell enough to find it again. */
export async function thisHolder(env: Env): Promise<Holder | null> {
  const where = thisWorld();
  const born = where === null ? null : await startOf(process.pid, env);
  return where === null || born === null ? null : { world: where, pid: process.pid, born };
}

/**
 * Whether it is certain that this process has ended: it is not here, or was started before the machine was. False too for one of another
 * host or another namespace, of which nothing can be seen.
 */
export async function isGone({ world: where, pid, born }: Holder, env: Env): Promise<boolean> {
  const from = seen(where);
  if (from !== "here") return from === "earlier";
  if (!alive(pid)) return true;
  const now = await startOf(pid, env);
  // Not told is no proof, unless it went away while it was asked for.
  return now === null ? !alive(pid) : now !== born;
}
