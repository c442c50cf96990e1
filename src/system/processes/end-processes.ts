/** Ending processes that were seen before: asked, then told, each only while it is still the one that was seen. */
import type { Env } from "./environment.ts";
import { alive, startedAt } from "./processes.ts";

/** A process as it was seen: its pid is given to somebody else one day, its start is not. */
export interface SeenProcess {
  readonly pid: number;
  readonly startedAt: number | null;
}

export const seenProcess = async (pid: number, env: Env): Promise<SeenProcess> => ({ pid, startedAt: await startedAt(pid, env) });

/** How long each wish is given. */
const GRACE_MS = 3000;

/** A look at which of these still run. */
export const stillRunning =
  (processes: readonly SeenProcess[], env: Env): (() => Promise<SeenProcess[]>) =>
  async () => {
    const left: SeenProcess[] = [];
    for (const seen of processes) if (alive(seen.pid) && (await startedAt(seen.pid, env)) === seen.startedAt) left.push(seen);
    return left;
  };

function signal(processes: readonly { readonly pid: number }[], name: "SIGTERM" | "SIGKILL"): void {
  for (const { pid } of processes) {
    try {
      process.kill(pid, name);
    } catch {
      // It has ended by itself, or may not be signalled: the next look tells.
    }
  }
}

/**
 * Waits until they have ended, asks those that have not (SIGTERM), and then tells them (SIGKILL).
 * @param look gives those that run; asked again before each step, so it may find others than before
 * @param options.atOnce nothing else asks them to end: this does, at once
 * @param options.graceMs between asking and telling them; 3 s unless named
 * @returns those that run all the same
 */
export async function endProcesses<P extends { readonly pid: number }>(
  look: () => Promise<readonly P[]>,
  options: { atOnce?: boolean; graceMs?: number } = {},
): Promise<readonly P[]> {
  let left = await look();
  if (options.atOnce) signal(left, "SIGTERM");
  for (const next of [...(options.atOnce ? [] : (["SIGTERM"] as const)), "SIGKILL", null] as const) {
    const graceMs = next === "SIGKILL" ? (options.graceMs ?? GRACE_MS) : GRACE_MS;
    for (const end = performance.now() + graceMs; left.length > 0 && performance.now() < end;) {
      await Bun.sleep(20);
      left = await look();
    }
    if (left.length === 0 || next === null) break;
    signal(left, next);
  }
  return left;
}
