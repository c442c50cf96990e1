/** The process: real streams, environment and clock around `run`. */
import { readSync, writeSync } from "node:fs";
import { makeContext, type Outside, programName, ReaderGone } from "./context.ts";
import { run } from "./run.ts";

/**
 * Writes to the end also when the reader is slow (EAGAIN). Talk that nobody hears changes nothing.
 * @throws ReaderGone when the reader of the data has gone (`| head`), and what the system says of any other reason
 */
function write(stream: "out" | "err", text: string): void {
  const fd = stream === "out" ? 1 : 2;
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  while (at < bytes.length) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      const { code } = error as { code?: string };
      // Of talk that cannot be written nobody can be told.
      if (code !== "EAGAIN" && stream === "err") return;
      if (code === "EPIPE") throw new ReaderGone();
      if (code !== "EAGAIN") throw error;
      Bun.sleepSync(1);
    }
  }
}

/** Reads to the end, also from a pipe that has nothing yet (EAGAIN); an endless one only up to `most`. */
function readStdin(most: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let left = most; left > 0;) {
    const part = new Uint8Array(Math.min(left, 1 << 16));
    try {
      const length = readSync(0, part, 0, part.length, null);
      if (length === 0) break;
      parts.push(part.subarray(0, length));
      left -= length;
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === "EOF") break;
      if (code !== "EAGAIN") throw error;
      Bun.sleepSync(5);
    }
  }
  return Buffer.concat(parts);
}

/** Loading node:tty takes longer than all else at start-up: only who asks pays for it. */
const isTerminal = (fd: number): boolean => process.getBuiltinModule("node:tty").isatty(fd);

/** A folder that was removed under a shell has no name any more, and nothing can be found from there. */
function workingFolder(): string {
  try {
    return process.cwd();
  } catch {
    write(
      "err",
      `${programName(process.env, process.argv0)}: the working directory does not exist any more\nhint: change to another one, for ` +
        "instance with: cd ~\n",
    );
    process.exit(1);
  }
}

const outside: Outside = {
  env: process.env,
  cwd: workingFolder(),
  argv0: process.argv0,
  tty: {
    get in() {
      return isTerminal(0);
    },
    get out() {
      return isTerminal(1);
    },
    get err() {
      return isTerminal(2);
    },
  },
  write,
  readStdin,
  clock: Date.now,
  alone: true,
  uuid: () => crypto.randomUUID(),
};

process.exit(await run(process.argv.slice(2), makeContext(outside)));
