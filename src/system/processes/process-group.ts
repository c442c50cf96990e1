/** A process group as a whole: a program that was started apart, and all that it started in turn. */
import { readdirSync, readFileSync } from "node:fs";

/** Signals the group that `pid` leads. One that is gone already is as good as signalled. */
export function signalGroup(pid: number, signal: "SIGTERM" | "SIGHUP" | "SIGKILL"): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // macOS says EPERM of a group of which only the dead are left; elsewhere it is one that is no longer ours.
    if (!["ESRCH", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

/** Whether anything of the group that `pid` leads, or led, still runs. */
export function groupLives(pid: number): boolean {
  try {
    process.kill(-pid, 0);
  } catch {
    return false;
  }
  // On Linux the dead whom nobody has fetched yet (orphans in a container without an init) count as members.
  return process.platform !== "linux" || readdirSync("/proc").some((name) => /^\d+$/.test(name) && runsIn(name, pid));
}

function runsIn(name: string, group: number): boolean {
  try {
    const text = readFileSync(`/proc/${name}/stat`, "latin1");
    // After the name, which may itself hold spaces and parentheses: state, parent, group.
    const [state, , of] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return Number(of) === group && state !== "Z" && state !== "X";
  } catch {
    return false;
  }
}
