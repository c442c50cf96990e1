/** create, start-test and doctor-self with the real Claude Code. */
import { afterEach, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ClaudeModel } from "../claude-model.ts";
import { ClaudeWorld, describeClaude } from "../claude-world.ts";
import { until } from "../harness.ts";
import { tmux } from "../panes.ts";

let w: ClaudeWorld;
afterEach(() => w.close());

const program = (name: string) => `${process.execPath} ${join(import.meta.dir, "..", "..", "src", "main.ts")} ${name}`;

/** Lets it ask nobody, and not ask whether that was meant. */
const asksNobody = ({ claudeHome }: ClaudeWorld, permissions: object): void =>
  writeFileSync(join(claudeHome, "settings.json"), JSON.stringify({ permissions, skipDangerousModePermissionPrompt: true }));

describeClaude("commands with Claude Code", () => {
  test("start-test: ready, told its rules, verified by the report it makes itself, and ended", async () => {
    // The scripted worker does what its contract says: it runs update-status.
    w = new ClaudeWorld((request) =>
      request.toolOutput !== null || !(request.userTexts.at(-1) ?? "").includes("update-status")
        ? [{ say: "done" }]
        : [{ run: `${program("update-status")} w1 --state done --current-task t --next-action none` }],
    );
    // A session that nobody supervises yet is started as its user has set it up.
    asksNobody(w, { defaultMode: "bypassPermissions" });
    const made = await w.ok("start-test w1 --agent claude --stop-after --json", { cwd: w.project });
    expect(made).toMatchObject({
      name: "w1",
      tmux_session: "claude-w1",
      startup: expect.stringMatching(/^(ready|working)$/),
      verification: { ok: true, reason: "the worker reported a status" },
      attach_command: "tmux attach -t claude-w1",
      stopped: true,
    });
    expect(w.rows("select state from workers")).toEqual([{ state: "stopped" }]);
    await until("its end", () => w.live().length === 0);
  }, 90_000);

  test("create names an untrusted folder instead of pressing anything, and goes on where that is allowed", async () => {
    w = new ClaudeWorld(undefined, { trusted: false });
    expect((await w.run("create w1 --agent claude --wait-ready", { cwd: w.project })).stdout).toContain("startup: needs_trust");
    expect(w.live()).toEqual([]);
    const trusted = await w.ok("create w2 --agent claude --wait-ready --accept-trust --no-initial-prompt --json", { cwd: w.project });
    expect(trusted).toMatchObject({ startup: "ready" });
  }, 90_000);

  test("start-worker with trust goes on in the terminal of one without it that was left at the question", async () => {
    w = new ClaudeWorld(undefined, { trusted: false });
    const words = ["start-worker", "--name", "w1", "--agent", "claude", "--task", "hello", "--timeout-seconds", "40"];
    const asked = await w.run(words, { cwd: w.project });
    expect(asked).toMatchObject({ exit: 1, stdout: "", stderr: expect.stringContaining("hint: start again with --accept-trust") });
    const pane = tmux(w, "list-panes", "-t", "=claude-w1:", "-F", "#{pane_id} #{pane_pid}").trim();
    const started = await w.ok([...words, "--accept-trust"], { cwd: w.project });
    const live = await w.status("claude-w1", "idle");
    expect(started).toMatchObject({ codex_session_id: live.sessionId, pid: live.pid, cwd: w.project });
    expect(tmux(w, "list-panes", "-t", "=claude-w1:", "-F", "#{pane_id} #{pane_pid}").trim()).toBe(pane);
  }, 90_000);

  test("compact-worker --clear: the worker is followed to its new conversation, and nobody is told to register it again", async () => {
    w = new ClaudeWorld();
    const start = (role: string, name: string, ...more: string[]) =>
      w.ok([`start-${role}`, "--name", name, "--agent", "claude", "--timeout-seconds", "40", ...more], { cwd: w.project });
    const { codex_session_id: before } = await start("worker", "w1", "--task", "hello");
    await start("manager", "m1", "--task-goal", "g");
    await w.ok("tasks --create t1 --goal g");
    await w.ok("bind --task t1 --worker w1 --manager m1");
    await w.ok("manager-config t1 --allow-worker-compact-clear");
    await w.ok(["handoff", "t1", "--summary", "half way"]);
    await w.status("claude-w1", "idle");
    const cleared = await w.run(["compact-worker", "t1", "--clear", "--reason", "context is full"]);
    expect(cleared).toMatchObject({ exit: 0, stderr: "" });
    const { sessionId } = await until("its new conversation", () =>
      w.live().find(({ tmux: where, sessionId: id }) => String(where).startsWith("claude-w1:") && id !== before),
    );
    expect(await w.ok("session-nudge w1 onwards")).toMatchObject({ proof: "seen" });
    expect(w.rows("select codex_session_id from sessions where name = 'w1'")).toEqual([{ codex_session_id: sessionId }]);
  }, 90_000);

  test("doctor-self in a session of Claude Code says what --self would take, and looks where Claude Code has its skills", async () => {
    w = new ClaudeWorld(new ClaudeModel().messages);
    const file = join(w.dir, "report.json");
    // By its flag: after a first turn with the setting it asks whether to change that (2.1.332).
    asksNobody(w, {});
    w.claude("w", "--permission-mode", "bypassPermissions", `run ${program("doctor-self")} > ${file}`);
    await until("the report", () => existsSync(file) && readFileSync(file, "utf8").endsWith("}\n"), 60);
    const live = await w.status("w", "idle");
    const report = JSON.parse(readFileSync(file, "utf8"));
    expect(report).toMatchObject({
      agent: "claude",
      current_session: "w",
      self: { ok: true, codex_session_id: live.sessionId, pid: live.pid, cwd: w.project, tmux_session: "w", tmux_pane_id: "%0" },
      skill_path: join(w.claudeHome, "skills", "manage-codex-workers", "SKILL.md"),
    });
    expect(report.checks).toContainEqual({ name: "claude_on_path", ok: true, path: Bun.which("claude", { PATH: w.env.PATH! }) });
  }, 90_000);
});
