import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { alive } from "../../../src/system/processes/processes.ts";
import { until, World } from "../../harness.ts";

let w: World;
beforeEach(async () => {
  w = new World();
  await w.ok("tasks --create t1 --goal Goal");
});
afterEach(() => w.close());

async function program(path: string, body: string): Promise<string> {
  const file = await w.file(path, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
  return file;
}

const latest = async (step: string, env?: Record<string, string>) =>
  (await w.ok(`epilogue t1 --step ${step} --json`, { env })).status.steps.find((each: { step_name: string }) => each.step_name === step)
    .latest_run;

test("a tool runs in the worker's folder and is told apart as missing or failing", async () => {
  await program("work/bin/here", "pwd; echo warn >&2");
  await program("work/bin/poor", "exit 4");
  await w.ok(["manager-config", "t1", "--epilogue", "run-tools", "--tool", "bin/here", "--tool", "bin/poor", "--tool", "never"]);
  const run = await latest("run-tools");
  expect(run).toMatchObject({ state: "failed", error: "tool bin/poor failed: --version ended with 4" });
  expect(run.result).toEqual({
    tools: [
      { tool: "bin/here", returncode: 0, stdout: `${w.work}\n`, stderr: "warn\n" },
      { tool: "bin/poor", returncode: 4, stdout: "", stderr: "" },
    ],
  });
  await w.ok("manager-config t1 --tool bin/none");
  expect(await latest("run-tools")).toMatchObject({
    state: "failed",
    error: expect.stringContaining("tool bin/none is missing"),
    result: { tools: [] },
  });
  expect(await w.ok<string>("epilogue t1 --step run-tools")).toStartWith("run-tools: failed: tool bin/none");
});

test("what a tool starts ends with it, and one that never stops printing is stopped", async () => {
  await program("work/bin/litter", "sleep 300 & echo $! > left; echo fine");
  await program("work/bin/flood", "exec yes");
  await w.ok(["manager-config", "t1", "--epilogue", "run-tools", "--tool", "bin/litter", "--tool", "bin/flood"]);
  const run = await latest("run-tools");
  expect(run).toMatchObject({ state: "failed", error: expect.stringContaining("tool bin/flood failed") });
  expect(run.result.tools).toEqual([
    { tool: "bin/litter", returncode: 0, stdout: "fine\n", stderr: "" },
    { tool: "bin/flood", returncode: null, stdout: expect.stringMatching(/^[y\n]{1000}$/), stderr: "" },
  ]);
  const left = Number(readFileSync(join(w.work, "left"), "utf8"));
  await until("the end of what the tool left", () => !alive(left));
});

test("a tool ends when the step is interrupted", async () => {
  await program("work/bin/slow", "sleep 300 & echo $! > left; sleep 300");
  await w.ok(["manager-config", "t1", "--epilogue", "run-tools", "--tool", "bin/slow"]);
  const main = resolve(import.meta.dir, "../../../src/main.ts");
  const step = Bun.spawn([process.execPath, main, "epilogue", "t1", "--step", "run-tools"], {
    env: w.env,
    cwd: w.work,
    stdout: "ignore",
    stderr: "ignore",
  });
  const left = await until("the tool", () => existsSync(join(w.work, "left")) && Number(readFileSync(join(w.work, "left"), "utf8")));
  step.kill("SIGTERM");
  expect(await step.exited).toBe(130);
  await until("the end of the tool", () => !alive(left));
  expect(w.rows("select 1 from epilogue_runs")).toEqual([]);
});

test("a draft pull request is opened only when permitted and possible, and what could not be done is told", async () => {
  await w.ok("manager-config t1 --epilogue draft-pr");
  await w.ok("criteria t1 --add --criterion 'Works' --source user_requested --status satisfied --proof seen");
  const refused = await latest("draft-pr");
  expect(refused.result).toMatchObject({
    acceptance_criteria_count: 1,
    command_count: 0,
    event_count: 3,
    pull_request: { created: false, reason: "repo.open_pr is not permitted" },
  });
  expect(refused.result.summary).toBe("Goal\n\nAcceptance criteria:\n- [x] Works (satisfied: seen)");

  await w.ok("manager-config t1 --allow-pr");
  expect((await latest("draft-pr", { PATH: "/none" })).result.pull_request).toEqual({
    created: false,
    url: null,
    reason: "gh is not on PATH",
  });
  const log = `${w.dir}/gh.log`;
  await program("bin/gh", `echo "$@" > ${log}; cat >> ${log}; echo https://example.test/pull/1`);
  const env = { PATH: `${w.dir}/bin:${process.env.PATH}` };
  expect(await latest("draft-pr", env)).toMatchObject({
    state: "succeeded",
    result: { pull_request: { created: true, url: "https://example.test/pull/1" } },
  });
  expect(await Bun.file(log).text()).toBe(
    "pr create --draft --title t1 --body-file -\nGoal\n\nAcceptance criteria:\n- [x] Works (satisfied: seen)",
  );
  await program("bin/gh", "echo no remote >&2; exit 1");
  expect(await latest("draft-pr", env)).toMatchObject({
    state: "succeeded",
    result: { pull_request: { created: false, reason: "gh: no remote" } },
  });
});

test("a review that says stop, or a reviewer no longer permitted, fails the step", async () => {
  await w.ok("manager-config t1 --epilogue subagent-review --permit context.spawn_reviewer");
  for (const role of ["worker", "manager"]) await w.ok(`continuation t1 --submit ${role} --from-stdin --correlation-id c`, { stdin: "{}" });
  const review = (verdict: string) =>
    w.ok("continuation t1 --review --from-stdin --correlation-id c", {
      stdin: JSON.stringify({
        agreement: "match",
        verdict,
        rationale: "because",
        subagent_run: { reviewer_session_id: "r", manager_session_id: "m", manager_rollout_access: false },
      }),
    });
  await review("stop");
  expect(await latest("subagent-review")).toMatchObject({
    state: "failed",
    error: expect.stringContaining("says stop: because"),
    result: { verdict: "stop" },
  });
  await review("proceed");
  expect(await latest("subagent-review")).toMatchObject({ state: "succeeded", result: { continuation_review_id: 2 } });
  await w.ok(`manager-config t1 --permissions-json {"context":[]}`);
  expect(await latest("subagent-review")).toMatchObject({ state: "failed", error: expect.stringContaining("context.spawn_reviewer") });
});
