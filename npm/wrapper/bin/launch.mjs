/** Starts the binary in this program's place: same words, streams, name, exit code, and death by the same signal. */
import { spawn } from "node:child_process";
import { binary } from "../binary.mjs";

function fail(error) {
  console.error(`conveyor: ${error.message}`);
  process.exit(1);
}

export function launch(name) {
  let path;
  try {
    path = binary();
  } catch (error) {
    return fail(error);
  }
  // With BUN_BE_BUN the binary would be a bare Bun, and BUN_OPTIONS may load foreign code into it.
  const { BUN_BE_BUN, BUN_OPTIONS, ...env } = process.env;
  const child = spawn(path, process.argv.slice(2), { stdio: "inherit", argv0: name, env });
  child.on("error", (error) => fail(new Error(`${path} could not be started: ${error.message}`)));
  // Ctrl-C in a terminal reaches the binary by itself; a signal sent to this process alone must be passed on.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]) {
    process.on(signal, () => (process.stdin.isTTY && signal === "SIGINT" ? undefined : child.kill(signal)));
  }
  child.on("exit", (code, signal) => {
    if (!signal) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
