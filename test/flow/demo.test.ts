/** The demonstration, whole and with the real Codex; and what it says when it cannot be. */
import { afterAll, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { World } from "../harness.ts";

const PICTURE = join(import.meta.dir, "..", "..", "docs", "demo.svg");
const world = new World();
world.realTime = true;
afterAll(() => world.close());

const program = (name: string, script: string): string => {
  const bin = join(world.dir, "bin");
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, name), 0o755);
  return `${bin}:/usr/bin:/bin`;
};

test("it comes to its end: proven both ways, gate held, task done, nothing left", async () => {
  const result = await world.ok("demo --json");
  const names = result.steps.map((step: { name: string }) => step.name);
  const launch = { worker: "protocol", manager: "protocol" };
  const both = { agent: "codex", version: result.codex };
  const agents = { worker: both, manager: both };
  expect(result).toMatchObject({ ok: true, failed: null, folder: null, database: null, launch, agents });
  expect(names).toEqual([
    "a private Codex home, state root, tmux server and git project",
    "pair: two Codex sessions, each with a rollout of its own",
    "the manager looks and accepts a criterion",
    "the worker's first turn ends; Dispatch tells the manager, proven in its rollout",
    "the gate holds: finishing is refused while a criterion is open",
    "the manager's words reach the worker, proven in its rollout",
    "the worker's second turn ends; Dispatch tells the manager, proven in its rollout",
    "the criterion is satisfied with evidence",
    "the task is done",
    "the manager's last turn ends",
    "the work stands: the file is changed and its check passes",
    "nothing runs afterwards",
  ]);
  // What README shows of it is what it does (npm run demo:picture draws it anew).
  expect([...readFileSync(PICTURE, "utf8").matchAll(/class="step">✓ ([^<]*)</g)].map(([, name]) => name)).toEqual(names);
}, 120_000);

test("without Codex it is one sentence and how to install it", async () => {
  const refused = await world.run("demo", { env: { PATH: program("nothing", "exit 0") } });
  expect(refused).toMatchObject({ exit: 1, stdout: "" });
  expect(refused.stderr).toBe("conveyor: codex is not on PATH\nhint: npm install --global @openai/codex\n");
});

test.each(["--worker-agent", "--manager-agent"])("the same with the other agent as %s", async (flag) => {
  const PATH = program("codex", "echo codex-cli 0.130.0");
  const refused = await world.run(`demo ${flag} claude`, { env: { PATH } });
  expect(refused).toMatchObject({ exit: 1, stdout: "" });
  expect(refused.stderr).toBe("conveyor: claude is not on PATH\nhint: npm install --global @anthropic-ai/claude-code\n");
});

test("a step that does not happen is named, and the records are kept", async () => {
  const PATH = program("codex", 'if [ "$1" = --version ]; then echo codex-cli 0.130.0; exit 0; fi; echo this Codex is broken; exit 3');
  const failed = await world.run("demo --json", { env: { PATH } });
  expect(failed.exit).toBe(1);
  const result = failed.json();
  expect(result).toMatchObject({ ok: false, failed: { step: "pair: two Codex sessions, each with a rollout of its own" } });
  expect(result.failed.reason).toContain("this Codex is broken");
  expect(existsSync(result.database)).toBe(true);
  rmSync(result.folder, { recursive: true });
});
