/** A world with something to look at: pairs in real tmux, rollouts that grow, messages, criteria, decisions. */
import { appendFileSync } from "node:fs";
import { newSession } from "../../src/system/terminal/sessions.ts";
import type { World } from "../harness.ts";

const START = Date.parse("2026-01-02T03:04:00.000Z");

export interface StagedSession {
  readonly name: string;
  readonly thread: string;
  readonly rollout: string;
  readonly pid: number;
}

export class Stage {
  private serial = 0;

  constructor(readonly w: World) {}

  /** A session in tmux that shows `screen` and then echoes what is typed; registered with a rollout of its own. */
  async session(role: "worker" | "manager", name: string, screen = `${name} is ready\n`): Promise<StagedSession> {
    const thread = `0198a000-0000-7000-8000-${String(++this.serial).padStart(12, "0")}`;
    const at = new Date(this.w.realTime ? Date.now() : START).toISOString();
    const rollout = await this.w.file(
      `codex/sessions/2026/01/02/rollout-2026-01-02T03-04-00-${thread}.jsonl`,
      `${JSON.stringify({ timestamp: at, type: "session_meta", payload: { id: thread, cwd: this.w.work, timestamp: at, originator: "codex-tui", cli_version: "0.169.0" } })}\n`,
    );
    const shown = await this.w.file(`screens/${name}.txt`, screen);
    const { pid } = await newSession(this.w.env, {
      name,
      cwd: this.w.work,
      argv: ["sh", "-c", 'cat "$1"; exec cat', "sh", shown],
      width: 100,
      height: 26,
    });
    await this.w.ok(["register-" + role, "--name", name, "--pid", String(pid), "--codex-session", rollout, "--tmux-session", name]);
    return { name, thread, rollout, pid };
  }

  /** Appends records to a session's rollout, as its agent would. */
  say({ rollout }: StagedSession, ...records: { type: string; [key: string]: unknown }[]): void {
    for (const payload of records)
      appendFileSync(
        rollout,
        `${JSON.stringify({ timestamp: new Date(this.w.realTime ? Date.now() : this.w.clock++).toISOString(), type: "event_msg", payload })}\n`,
      );
  }

  /** A whole turn with its token count. */
  turn(session: StagedSession, id: string, message: string, tokens: number): void {
    this.say(
      session,
      { type: "task_started", turn_id: id },
      { type: "token_count", info: { total_token_usage: usage(tokens), last_token_usage: usage(tokens) } },
      { type: "task_complete", turn_id: id, last_agent_message: message, duration_ms: 42_000 },
    );
  }

  /** A task with a bound pair. */
  async pair(task: string, goal: string): Promise<{ worker: StagedSession; manager: StagedSession }> {
    await this.w.ok(["tasks", "--create", task, "--goal", goal]);
    const worker = await this.session("worker", `${task}-worker`);
    const manager = await this.session("manager", `${task}-manager`);
    await this.w.ok(["bind", "--task", task, "--worker", worker.name, "--manager", manager.name]);
    return { worker, manager };
  }
}

const usage = (total: number) => ({
  input_tokens: total,
  cached_input_tokens: 0,
  output_tokens: 0,
  reasoning_output_tokens: 0,
  total_tokens: total,
});
