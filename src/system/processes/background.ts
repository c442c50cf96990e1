/** Programs that go on when this one has ended. */
import { type Env, childEnv } from "./child.ts";

/** Starts `argv` in a session of its own, with nothing of ours open, and gives its pid; null when it could not be started. */
export function startBackground(argv: readonly string[], env: Env, cwd: string): number | null {
  try {
    const child = Bun.spawn([...argv], { env: childEnv(env), cwd, stdin: "ignore", stdout: "ignore", stderr: "ignore", detached: true });
    child.unref();
    return child.pid;
  } catch {
    return null;
  }
}
