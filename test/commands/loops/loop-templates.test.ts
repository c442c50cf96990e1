/** `loop-templates` and `ralph-loop-presets`: one registry under two names. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { World } from "../../harness.ts";

let w: World;
beforeEach(() => void (w = new World()));
afterEach(() => w.close());

test("both list the same five, sorted, without a database", async () => {
  const { templates } = await w.ok("loop-templates --list");
  const { presets } = await w.ok("ralph-loop-presets --list --json");
  expect(presets).toEqual(templates);
  expect(templates.map((t: { name: string }) => t.name)).toEqual([
    "build_then_clear",
    "compact_then_continue",
    "pr_ci_merge_loop",
    "test_coverage_loop",
    "visual_diff_loop",
  ]);
  expect(existsSync(w.dbPath)).toBe(false);
});

test("an unknown template is refused before the database is made", async () => {
  const refused = await w.run("loop-templates --create-run t1 --template nope");
  expect(refused.exit).toBe(1);
  expect(refused.stderr).toContain('unknown loop template "nope"');
  expect(existsSync(w.dbPath)).toBe(false);
});

test("the selector of the other name is unknown here", async () => {
  expect((await w.run("ralph-loop-presets --create-run t1 --template build_then_clear")).exit).toBe(2);
  expect((await w.run("loop-templates --create-run t1 --preset build_then_clear")).exit).toBe(2);
});

test("a preset makes the same run", async () => {
  await w.ok("tasks --create t1 --goal g");
  const run = await w.ok("ralph-loop-presets --create-run t1 --preset pr_ci_merge_loop --name a --name b --max-iterations 7");
  expect(run).toMatchObject({
    name: "b",
    purpose: "ralph_loop",
    status: "finished",
    metadata: { preset: "pr_ci_merge_loop", template: "pr_ci_merge_loop", max_iterations: 7, current_iteration: 0 },
  });
  expect(run.started_at).toMatch(/\.\d{3}Z$/);
});

test("completion offers the templates", async () => {
  for (const words of [
    ["loop-templates", "--show", ""],
    ["ralph-loop-presets", "--create-run", "t1", "--preset", ""],
    ["create-disposable-binding", "t1", "--template", ""],
  ]) {
    expect((await w.run(["__complete", ...words])).stdout.trim().split("\n")).toHaveLength(5);
  }
  expect((await w.run(["__complete", "loop-evidence", "add", "t1", "--evidence-type", "adv"])).stdout).toBe("adversarial_check\n");
});
