/** A process that runs beside this one and ends with it. */
import type { Env } from "./environment.ts";
import { type Program, startProgram } from "./run.ts";

export interface Companion {
  readonly pid: number;
  /** Asks it to end and waits until it has, as long as its patience allows. */
  end(): Promise<void>;
}

/**
 * Starts `argv` in a group of its own, so that Ctrl-C in our terminal reaches it only through us, once; its output goes nowhere.
 * @param patienceMs what it may take to end well; @param ended called with its exit code when it ends without having been asked
 * @returns null when there is no such program
 */
export function startCompanion(
  argv: readonly string[],
  place: { env: Env; cwd: string },
  patienceMs: number,
  ended: (code: number | null) => void,
): Companion | null {
  let program: Program;
  try {
    program = startProgram(argv, place);
  } catch {
    return null;
  }
  let asked = false;
  void program.exited.then(({ code }) => {
    if (!asked) ended(code);
  });
  return {
    pid: program.pid,
    async end() {
      asked = true;
      await program.end(patienceMs);
    },
  };
}
