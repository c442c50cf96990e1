/** A task `t1` with a worker and a manager bound to it, each in a terminal of its own. */
import { bind } from "../../../src/store/sessions/bindings.ts";
import { registerSession } from "../../../src/store/sessions/sessions.ts";
import { needTask } from "../../../src/store/tasks/tasks.ts";
import { newSession } from "../../../src/system/terminal/sessions.ts";
import { until, World } from "../../harness.ts";

export class FinishWorld extends World {
  constructor() {
    super();
    this.realTime = true;
  }

  /** Opens the terminals, registers both sessions and binds them; a shell shows `worker screen` and waits. */
  async bound(task = "t1", names: { worker: string; manager: string } = { worker: "w1", manager: "m1" }): Promise<void> {
    await this.ok(["tasks", "--create", task, "--goal", "G"]);
    const store = this.store();
    const sessions = [];
    for (const role of ["worker", "manager"] as const) {
      const name = names[role];
      const { paneId, pid } = await newSession(this.env, {
        name: `codex-${name}`,
        cwd: this.work,
        argv: ["sh", "-c", `echo ${role} screen; exec cat`],
      });
      await until(`${role} screen`, () => this.screen(`codex-${name}`).includes(`${role} screen`));
      sessions.push(
        registerSession(store, {
          name,
          role,
          pid,
          cwd: this.work,
          codexSessionPath: null,
          codexSessionId: null,
          tmuxSession: `codex-${name}`,
          tmuxPaneId: paneId,
        }),
      );
    }
    bind(store, needTask(store, task), sessions[0]!, sessions[1]!);
  }

  tmux(...words: string[]): string {
    return Bun.spawnSync(["tmux", ...words], { env: this.env }).stdout.toString();
  }

  screen(session: string): string {
    return this.tmux("capture-pane", "-p", "-t", `=${session}:`);
  }

  /** Names of the sessions that run. */
  running(): string[] {
    return this.tmux("list-sessions", "-F", "#{session_name}").split("\n").filter(Boolean).sort();
  }

  states() {
    return {
      task: this.rows<{ state: string }>("select state from tasks order by rowid")[0]!.state,
      binding: this.rows<{ state: string }>("select state from bindings order by rowid")[0]?.state,
      sessions: Object.fromEntries(
        this.rows<{ name: string; state: string }>("select name, state from sessions").map(({ name, state }) => [name, state]),
      ),
      commands: this.rows<{ state: string }>("select state from commands order by rowid").map(({ state }) => state),
    };
  }
}
