/** The process: real streams, environment and clock around `run`. */
import { readFileSync, writeSync } from "node:fs";
import { isatty } from "node:tty";
import { makeContext, type Outside } from "./context.ts";
import { run } from "./run.ts";

/** Writes to the end also when the reader is slow (EAGAIN); a reader that has gone (`| head`) is no error. */
function write(stream: "out" | "err", text: string): void {
  const fd = stream === "out" ? 1 : 2;
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  while (at < bytes.length) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === "EPIPE") process.exit(0);
      if (code !== "EAGAIN") throw error;
      Bun.sleepSync(1);
    }
  }
}

const outside: Outside = {
  env: process.env,
  cwd: process.cwd(),
  argv0: process.argv0,
  tty: { in: isatty(0), out: isatty(1), err: isatty(2) },
  write,
  readStdin: () => readFileSync(0, "utf8"),
  clock: Date.now,
  uuid: () => crypto.randomUUID(),
};

process.exit(await run(process.argv.slice(2), makeContext(outside)));
