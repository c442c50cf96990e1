/** Rollouts written by tests, and sessions registered with them. */
import { appendFileSync } from "node:fs";
import type { World } from "./harness.ts";

export const THREAD = { worker: "11111111-1111-4111-8111-111111111111", manager: "22222222-2222-4222-8222-222222222222" } as const;

/** One line of a rollout; the clock stands long before any test runs. */
export const line = (type: string, payload: object, second = 1): string =>
  `${JSON.stringify({ timestamp: `2020-01-01T00:00:${String(second).padStart(2, "0")}.000Z`, type, payload })}\n`;
export const event = (payload: { type: string; [key: string]: unknown }, second = 1): string => line("event_msg", payload, second);
export const meta = (thread: string = THREAD.worker): string =>
  line("session_meta", { id: thread, cwd: "/srv/project", originator: "codex-tui", cli_version: "0.169.0" }, 0);

export interface Rollout {
  readonly path: string;
  append(text: string | Uint8Array): void;
}

/** A new rollout below the world's CODEX_HOME that holds `content`. */
export async function rollout(w: World, content: string | Uint8Array = meta(), thread: string = THREAD.worker): Promise<Rollout> {
  const path = await w.file(`codex/sessions/2026/05/11/rollout-2026-05-11T14-00-00-${thread}.jsonl`, content);
  return { path, append: (text) => appendFileSync(path, text) };
}

export interface Pair {
  readonly worker: Rollout;
  readonly manager: Rollout;
}

/** A worker `w1` and a manager `m1`, bound on task `t1`. `extra` words go to the worker's registration. */
export async function boundPair(w: World, options: { worker?: string; extra?: readonly string[]; pid?: number } = {}): Promise<Pair> {
  const worker = await rollout(w, options.worker ?? meta());
  const manager = await rollout(w, meta(THREAD.manager), THREAD.manager);
  const pid = String(options.pid ?? process.pid);
  await w.ok(["register-worker", "--name", "w1", "--pid", pid, "--codex-session", worker.path, "--cwd", w.work, ...(options.extra ?? [])]);
  await w.ok(["register-manager", "--name", "m1", "--pid", String(process.pid), "--codex-session", manager.path, "--cwd", w.work]);
  await w.ok(["tasks", "--create", "t1", "--goal", "Ship it"]);
  await w.ok(["bind", "--task", "t1", "--worker", "w1", "--manager", "m1"]);
  return { worker, manager };
}

/** Registers `w1` alone with a rollout that holds `content`. */
export async function lonelyWorker(w: World, content?: string | Uint8Array): Promise<Rollout> {
  const written = await rollout(w, content);
  await w.ok(["register-worker", "--name", "w1", "--pid", String(process.pid), "--codex-session", written.path, "--cwd", w.work]);
  return written;
}
