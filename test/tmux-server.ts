/** A tmux server of a test's own: a private socket folder, killed and removed at the end. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TmuxServer {
  readonly env: Record<string, string>;
  close(): void;
}

/** @param extra more variables for the environment that tmux (and what it starts) gets */
export function tmuxServer(extra: Record<string, string> = {}): TmuxServer {
  const dir = mkdtempSync(join(tmpdir(), "cvt-"));
  const env: Record<string, string> = {
    PATH: process.env.PATH ?? "/usr/bin:/bin",
    HOME: dir,
    TERM: "xterm-256color",
    SHELL: "/bin/sh",
    ...extra,
    TMUX_TMPDIR: dir,
  };
  return {
    env,
    close() {
      Bun.spawnSync(["tmux", "kill-server"], { env, stdout: "ignore", stderr: "ignore" });
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
