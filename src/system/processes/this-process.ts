/** This process as others can find it again, and the signals that ask it to end. */
import { hostname } from "node:os";
import type { Env } from "./environment.ts";
import { startOf } from "./processes.ts";

export const thisHost = (): string => hostname();

/** Pid and start time: a pid alone is given to somebody else one day. */
export async function thisProcess(env: Env): Promise<{ pid: number; started: string | null }> {
  return { pid: process.pid, started: await startOf(process.pid, env) };
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Calls `stop` at the first request to end; a second one ends the process at once, as if nobody had listened.
 * @param options.patient further ones are ignored instead (a terminal and npm both hand on the same Ctrl-C)
 * @returns what takes the listeners away again
 */
export function onStop(stop: () => void, options: { patient?: boolean } = {}): () => void {
  let asked = false;
  const listener = (signal: NodeJS.Signals): void => {
    if (asked && options.patient) return;
    if (asked) {
      remove();
      process.kill(process.pid, signal);
    }
    asked = true;
    stop();
  };
  const remove = (): void => {
    for (const signal of SIGNALS) process.removeListener(signal, listener);
  };
  for (const signal of SIGNALS) process.on(signal, listener);
  return remove;
}

/** Runs `act` deaf to requests to end: it may hang up the very terminal this process lives in, and must still come to its end. */
export async function undisturbed<T>(act: () => Promise<T>): Promise<T> {
  const ignore = (): void => {};
  for (const signal of SIGNALS) process.on(signal, ignore);
  try {
    return await act();
  } finally {
    for (const signal of SIGNALS) process.removeListener(signal, ignore);
  }
}
