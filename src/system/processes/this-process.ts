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
 * One keystroke may come twice: a terminal signals the whole group, and a wrapper in it (`bun run`, the npm package's launcher when a window
 * is closed) hands on what it got. Measured behind `bun run`: 0.4 to 13 ms later, on two processors with a load of 19. A person who wants the
 * end at once has to see that it did not come, and to press again: that takes longer than this. A timer, not a clock, measures it, since
 * Bun hands over waiting signals before it looks at its timers: a second one that waited while we were busy is still an echo.
 */
const ECHO_MS = 150;

/**
 * Calls `stop` at the first request to end; a second one ends the process at once, as if nobody had listened. The same signal within
 * {@link ECHO_MS} is the first one again.
 * @param options.patient further ones are ignored instead: the end that was begun must come whole
 * @returns what takes the listeners away again, though not before an echo could have come: it would end the process in its last words
 */
export function onStop(stop: () => void, options: { patient?: boolean } = {}): () => void {
  let asked = false;
  let released = false;
  let echoOf: NodeJS.Signals | null = null;
  const listener = (signal: NodeJS.Signals): void => {
    if (signal === echoOf || (asked && options.patient && !released)) return;
    if (asked) {
      remove();
      process.kill(process.pid, signal);
      return;
    }
    asked = true;
    echoOf = signal;
    setTimeout(() => {
      echoOf = null;
      if (released) remove();
    }, ECHO_MS).unref();
    stop();
  };
  const remove = (): void => {
    for (const signal of SIGNALS) process.removeListener(signal, listener);
  };
  for (const signal of SIGNALS) process.on(signal, listener);
  return () => {
    released = true;
    if (echoOf === null) remove();
  };
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
