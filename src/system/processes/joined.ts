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
    throw notStarted(argv, error);
  }
}

export interface GroupGuard {
  readonly pid: number;
  /** It has nothing to do any more, and has ended when this comes. */
  dismiss(): Promise<void>;
}

/** Asks and then tells all of its group to end, unless a line comes first; the end of what it reads comes when we have gone. */
const GUARD = 'trap "" HUP INT QUIT TERM; read -r over && exit; kill -TERM 0; sleep 1; kill -KILL 0';

/**
 * Starts what ends our process group when we are killed and cannot. A terminal that goes away tells the programs in it, but one of them may
 * take its time: a Codex app-server that is told once ends its turns first (0.171.0).
 * @throws ProgramFailure when it cannot be started
 */
export function guardGroup(env: Env): GroupGuard {
  const argv = ["/bin/sh", "-c", GUARD];
  try {
    const child = Bun.spawn(argv, { env: childEnv(env), stdin: "pipe", stdout: "ignore", stderr: "ignore" });
    child.unref();
    return {
      pid: child.pid,
      dismiss: async () => {
        child.stdin.write("over\n");
        await child.stdin.end();
        await child.exited;
      },
    };
  } catch (error) {
    throw notStarted(argv, error);
  }
}

const notStarted = (argv: readonly string[], error: unknown): ProgramFailure =>
  new ProgramFailure(
    `${argv[0]} could not be started: ${(error as Error).message}`,
    { command: argv, folder: null, code: null, signal: null, durationMs: 0 },
    { cause: error },
  );
