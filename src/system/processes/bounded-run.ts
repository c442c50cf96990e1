/** Runs a program that is not trusted: a time limit, an output limit, and its whole process group killed at the end. */
import { closeSync } from "node:fs";
import type { Subprocess } from "bun";
import { signalGroup } from "./process-group.ts";

export interface BoundedResult {
  /** Exit status; null when a signal ended it or it could not be started. */
  readonly code: number | null;
  /** The first characters of what it printed. */
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
  /** Why it was stopped from outside, or could not be started. */
  readonly trouble: "timeout" | "flood" | "unstartable" | null;
  /** What it wrote to its descriptor 3: a channel of its own for whoever sets it up. */
  readonly notice: string;
}

export interface Bounds {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly stdin: string;
  readonly timeoutMs: number;
  /** Characters kept of each stream. */
  readonly keepStdout: number;
  readonly keepStderr: number;
  /** Bytes on one stream after which it is stopped. */
  readonly floodBytes: number;
}

/** Reads a stream to its end, keeps its first characters, and calls `flooded` when it is too much. */
async function drain(stream: ReadableStream<Uint8Array>, keep: number, limit: number, flooded: () => void): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (text.length < keep) text += decoder.decode(chunk, { stream: true });
    if (bytes > limit) {
      flooded();
      break;
    }
  }
  return text.slice(0, keep);
}

/** Runs `argv` to its end or to its bounds. Never throws for what the program does. */
export async function runBounded(argv: readonly string[], bounds: Bounds): Promise<BoundedResult> {
  const began = performance.now();
  const took = () => Math.round(performance.now() - began);
  let child: Subprocess<Blob, "pipe", "pipe">;
  let channel: number;
  try {
    // Detached: a group of its own, which a terminal's Ctrl-C does not reach but signalGroup does.
    child = Bun.spawn([...argv], {
      env: bounds.env,
      cwd: bounds.cwd,
      stdio: [new Blob([bounds.stdin]), "pipe", "pipe", "pipe"],
      detached: true,
    });
    channel = child.stdio[3] as unknown as number;
  } catch {
    return { code: null, stdout: "", stderr: "", durationMs: took(), trouble: "unstartable", notice: "" };
  }
  let trouble: BoundedResult["trouble"] = null;
  let giveUp = (): void => {};
  const stopped = new Promise<[string, string]>((resolve) => (giveUp = () => resolve(["", ""])));
  const stop = (why: "timeout" | "flood"): void => {
    trouble ??= why;
    signalGroup(child.pid, "SIGKILL");
    giveUp();
  };
  const interrupted = (): void => {
    signalGroup(child.pid, "SIGKILL");
    process.exit(130);
  };
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
  const timer = setTimeout(() => stop("timeout"), bounds.timeoutMs);
  try {
    const read = (stream: ReadableStream<Uint8Array>, keep: number) => drain(stream, keep, bounds.floodBytes, () => stop("flood"));
    const streams = Promise.all([read(child.stdout, bounds.keepStdout), read(child.stderr, bounds.keepStderr)]);
    const noticed = read(Bun.file(channel).stream(), 100);
    const exited = child.exited.then(() => signalGroup(child.pid, "SIGKILL"));
    const [stdout, stderr] = await Promise.race([streams, stopped]);
    await exited;
    return { code: child.signalCode === null ? child.exitCode : null, stdout, stderr, durationMs: took(), trouble, notice: await noticed };
  } finally {
    clearTimeout(timer);
    closeSync(channel);
    process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
  }
}
