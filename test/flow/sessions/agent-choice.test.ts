/** Which agent is meant: chosen for a start, told of what runs already. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Agent } from "../../../src/core/agent/agent.ts";
import { agentKeys, agentOfPath, agents } from "../../../src/core/agent/agents.ts";
import { identifySelf } from "../../../src/flow/sessions/identify.ts";
import { startTicks } from "../../../src/system/processes/processes.ts";
import { tmuxResult } from "../../../src/system/terminal/tmux.ts";
import { World } from "../../harness.ts";
import { meta, rollout, THREAD } from "../../rollout.ts";

let w: World;
beforeEach(() => void (w = new World()));
afterEach(() => w.close());

/** A second agent, whose sessions have other files and another variable. */
const other: Agent = {
  ...agents.codex,
  key: "other",
  label: "Other",
  selfVariable: "OTHER_SESSION",
  transcript: { ...agents.codex.transcript, isPath: (path) => path.endsWith(".other") },
};

const starts = [
  "start never --agent X",
  "start-worker --name never --agent X",
  "start-manager --name never --agent X",
  "create never --agent X",
  "start-test never --agent X",
  "pair --task t --task-goal g --worker-name never --manager-name m --agent X",
  "pair --task t --task-goal g --worker-name never --manager-name m --worker-agent X",
  "pair --task t --task-goal g --worker-name w --manager-name never --manager-agent X",
  "demo --agent X",
  "demo --worker-agent X",
  "demo --manager-agent X",
];
const registers = ["register-worker --name never --self --agent X", "register-manager --name never --pid 1 --agent X"];

async function expectNothingBegun(): Promise<void> {
  expect((await tmuxResult(w.env, ["list-sessions"])).code).not.toBe(0);
  if (existsSync(w.dbPath)) expect(w.rows("select id from sessions union select id from tasks union select id from workers")).toEqual([]);
}

test.each([...starts, ...registers].map((line) => line.replace("X", "nobody")))(
  "refused as misuse, with the agents that are known, and nothing begun: %s",
  async (line) => {
    const [, flag, name] = /(--[a-z-]*agent) (\w+)$/.exec(line)!;
    const refused = await w.run(line);
    expect([refused.exit, refused.stdout]).toEqual([2, ""]);
    expect(refused.stderr).toContain(`${flag} must be one of ${agentKeys.join(", ")}, not "${name}"`);
    await expectNothingBegun();
  },
);

test.each([...new Set(starts.map((line) => line.replace(/ --[a-z-]*agent X/, "")))])(
  "so is one that CONVEYOR_AGENT names: %s",
  async (line) => {
    const refused = await w.run(line, { env: { CONVEYOR_AGENT: "nobody" } });
    expect([refused.exit, refused.stdout]).toEqual([2, ""]);
    expect(refused.stderr).toContain('CONVEYOR_AGENT names the agent "nobody", which this version does not know yet');
    expect(refused.stderr).toContain(`it knows ${agentKeys.join(", ")}`);
    await expectNothingBegun();
  },
);

test("a path tells its agent by its form, and one of no form is the first one's that may be meant", () => {
  expect(agentOfPath("/x/y.other", [agents.codex, other])).toBe(other);
  expect(agentOfPath("/x/y", [agents.codex, other])).toBe(agents.codex);
  expect(agentOfPath("/x/y", [other])).toBe(other);
});

test("a session is registered with its agent named", async () => {
  const { path } = await rollout(w);
  const words = ["--name", "w1", "--agent", "codex", "--cwd", w.work, "--pid", String(process.pid)];
  await w.ok(["register-worker", ...words, "--codex-session", path]);
  expect((await w.ok("sessions --name w1"))[0].agent).toBe("codex");
});

/** Puts on Claude Code's list that a process, by itself this very one, runs the session. */
function listHere(id: string, pid = process.pid): void {
  const folder = join(w.dir, "claude", "sessions");
  mkdirSync(folder, { recursive: true });
  const entry = { pid, sessionId: id, cwd: w.work, procStart: startTicks(pid), kind: "interactive", status: "busy" };
  writeFileSync(join(folder, `${pid}.json`), JSON.stringify(entry));
}

test("a session that its agent lists is registered by its id before anything was said to it", async () => {
  const session = "0f9d2c1e-5a40-4f7b-9c55-1d2e3f4a5b6c";
  listHere(session);
  const env = { CLAUDE_CONFIG_DIR: join(w.dir, "claude") };
  expect(await w.ok(["register-worker", "--name", "w1", "--codex-session", session], { env })).toMatchObject({
    codex_session_id: session,
    codex_session_path: expect.stringMatching(new RegExp(`/claude/projects/[^/]+/${session}\\.jsonl$`)),
    pid: process.pid,
    cwd: w.work,
  });
});

test("a process that runs a session and has started others is registered as its own", async () => {
  const others = Array.from({ length: 8 }, () => Bun.spawn(["sleep", "60"]));
  const id = (at: number) => `0f9d2c1e-5a40-4f7b-9c55-00000000000${at}`;
  try {
    for (const [at, { pid }] of others.entries()) listHere(id(at), pid);
    listHere(id(9));
    const env = { CLAUDE_CONFIG_DIR: join(w.dir, "claude") };
    const words = ["register-worker", "--name", "w1", "--pid", String(process.pid)];
    expect(await w.ok(words, { env })).toMatchObject({ codex_session_id: id(9), pid: process.pid });
  } finally {
    for (const each of others) each.kill();
  }
});

test("inside the sessions of two agents at once --agent decides; a variable left from elsewhere does not count", async () => {
  const session = "0f9d2c1e-5a40-4f7b-9c55-1d2e3f4a5b6c";
  await w.file(`claude/projects/-work/${session}.jsonl`, `${JSON.stringify({ type: "mode", mode: "normal", sessionId: session })}\n`);
  listHere(session);
  await rollout(w, meta(), THREAD.worker);
  const twin: Agent = { ...agents.claude, label: "Other", selfVariable: "OTHER_SESSION" };
  const env = { CLAUDE_CONFIG_DIR: join(w.dir, "claude"), CODEX_THREAD_ID: THREAD.worker, CLAUDE_CODE_SESSION_ID: session };
  // That thread of Codex has no writer here.
  await expect(identifySelf(w.context({ env }), [agents.codex])).rejects.toThrow(`thread ${THREAD.worker}`);
  expect(await identifySelf(w.context({ env }), [agents.codex, agents.claude])).toMatchObject({
    agent: { key: "claude" },
    threadId: session,
    pid: process.pid,
    cwd: w.work,
  });
  await expect(identifySelf(w.context({ env: { ...env, OTHER_SESSION: session } }), [agents.claude, twin])).rejects.toMatchObject({
    message: "this command runs inside sessions of Claude Code and Other at once",
    hint: "say which is meant: --agent claude or --agent claude",
  });
});

test("a file that lies elsewhere is known by what it says: a helper's is refused as one, whichever agent it is of", async () => {
  const head = {
    type: "user",
    sessionId: crypto.randomUUID(),
    agentId: "a1",
    isSidechain: true,
    cwd: w.work,
    message: { role: "user", content: "x" },
  };
  const path = await w.file("copied/helper.jsonl", `${JSON.stringify(head)}\n`);
  const refused = await w.run(["register-worker", "--name", "w1", "--pid", String(process.pid), "--codex-session", path]);
  expect([refused.exit, refused.stdout]).toEqual([1, ""]);
  expect(refused.stderr).toContain("is a helper's, which its agent started for itself");
});

test("a pair's dry run tells what each side would be started with", async () => {
  const words =
    "pair --task t --task-goal g --worker-name w --manager-name m --worker-agent claude --worker-model opus --permission-mode plan";
  const plan = await w.ok(`${words} --dry-run`);
  expect(plan.worker_start).toMatchObject({ agent: "claude", model: "opus", permission_mode: "plan", cwd: w.work });
  expect(plan.manager_start).toMatchObject({ agent: "codex", model: null, permission_mode: null, sandbox: "danger-full-access" });
  expect(existsSync(w.dbPath)).toBe(false);
});
