/** A process group as a whole: a program that was started apart (`detached`), and all that it started in turn. */

/** Signals the group that `pid` leads. One that is gone already is as good as signalled. */
export function signalGroup(pid: number, signal: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // macOS says EPERM of a group of which only the dead are left.
    if (!["ESRCH", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}
