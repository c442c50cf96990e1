/** A process that runs beside this one and ends with it. */
import { childEnv, type Env, which } from "./child.ts";

export interface Companion {
  readonly pid: number;
  /** Asks it to end and waits until it has. */
  end(): Promise<void>;
}

const PATIENCE_MS = 5000;

/**
 * Starts `argv`; its output goes nowhere.
 * @param ended called with its exit code when it ends without having been asked
 * @returns null when there is no such program
 */
export function startCompanion(argv: readonly string[], env: Env, cwd: string, ended: (code: number | null) => void): Companion | null {
  const [program = "", ...rest] = argv;
  const path = program.includes("/") ? program : which(program, env);
  if (path === null) return null;
  try {
    const child = Bun.spawn([path, ...rest], { env: childEnv(env), cwd, stdin: "ignore", stdout: "ignore", stderr: "ignore" });
    let asked = false;
    void child.exited.then((code) => {
      if (!asked) ended(code);
    });
    return {
      pid: child.pid,
      async end() {
        asked = true;
        child.kill("SIGTERM");
        const impatient = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
        await child.exited;
        clearTimeout(impatient);
      },
    };
  } catch {
    return null;
  }
}
