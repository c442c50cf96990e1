/** The program that is measured, the world in which that is done, and how figures are told. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../build.ts";

/** The words that start it: those given, else what `npm run build` has left. */
export const programOf = (given: readonly string[]): readonly string[] => (given.length > 0 ? given : [join(root, "dist", "conveyor")]);

/** A folder for one measurement, and the environment in which nothing of its user's is met: homes, records and terminals lie in it. */
export function benchWorld(): { readonly dir: string; readonly env: Record<string, string> } {
  const dir = mkdtempSync(join(tmpdir(), "conveyor-bench-"));
  const env = {
    PATH: process.env.PATH ?? "/usr/bin:/bin",
    HOME: dir,
    CODEX_HOME: join(dir, "codex"),
    WORKERCTL_STATE_ROOT: join(dir, "state"),
    TMUX_TMPDIR: dir,
    TERM: "xterm-256color",
  };
  return { dir, env };
}

/** @param samples in any order, at least one @param part of all of them that lie below, from 0 to 1 */
export function percentile(samples: readonly number[], part: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!;
}
