/** Which agent is meant: chosen for a start, told of what runs already. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import type { Agent } from "../../../src/core/agent/agent.ts";
import { agentKeys, agentOfPath, agents } from "../../../src/core/agent/agents.ts";
import { identifySelf } from "../../../src/flow/sessions/identify.ts";
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

test("inside the sessions of two agents at once, --agent decides", async () => {
  await rollout(w, meta(), THREAD.worker);
  const cx = w.context({ env: { CODEX_THREAD_ID: THREAD.worker, OTHER_SESSION: THREAD.manager } });
  const both = identifySelf(cx, [agents.codex, other]);
  await expect(both).rejects.toMatchObject({
    message: "this command says to run inside sessions of Codex and Other at once",
    hint: "say which is meant: --agent codex or --agent other",
  });
  // Alone it is looked at: that thread has no writer here.
  await expect(identifySelf(cx, [agents.codex])).rejects.toThrow(`thread ${THREAD.worker}`);
});
