/** Programs that are a part of this one, as what a pane runs is: they share its terminal and its process group. */
import { childEnv, type Env } from "./environment.ts";
import { ProgramFailure } from "./run.ts";

/** A program that is a part of this one: in our terminal and our process group, so that what ends the terminal ends it too. */
export interface JoinedProgram {
  readonly pid: number;
  /** Its exit status; a signal counts as 128 and its number. */
  readonly exited: Promise<number>;
}

/**
 * Starts `argv` as a part of this program.
 * @param options.output `terminal`: it has our three streams; else an open file of ours for what it prints, and no input
 * @throws ProgramFailure when it cannot be started
 */
export function startJoined(argv: readonly string[], options: { env: Env; output: "terminal" | number }): JoinedProgram {
  const { output } = options;
  try {
    const child = Bun.spawn([...argv], {
      env: childEnv(options.env),
      stdin: output === "terminal" ? "inherit" : "ignore",
      stdout: output === "terminal" ? "inherit" : output,
      stderr: output === "terminal" ? "inherit" : output,
    });
    return { pid: child.pid, exited: child.exited };
  } catch (error) {
    const facts = { command: argv, folder: null, code: null, signal: null, durationMs: 0 };
    throw new ProgramFailure(`${argv[0]} could not be started: ${(error as Error).message}`, facts, { cause: error });
  }
}
