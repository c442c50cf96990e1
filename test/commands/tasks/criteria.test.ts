import { afterEach, beforeEach, expect, test } from "bun:test";
import { World } from "../../harness.ts";

let w: World;
beforeEach(async () => {
  w = new World();
  await w.ok("tasks --create t1 --goal G");
});
afterEach(() => w.close());

test("text is trimmed, a duplicate is told and changes nothing", async () => {
  expect(await w.ok(["criteria", "t1", "--add", "--criterion", "  A ", "--source", "user_requested"])).toMatchObject({
    affected_criterion: { id: 1, criterion: "A" },
  });
  const again = await w.run("criteria t1 --add --criterion A --source user_requested --status satisfied");
  expect(again.stderr).toContain("criterion 1");
  expect(again.json()).toMatchObject({ affected_criterion: { status: "proposed" }, summary: { proposed: 1 } });
});

test("misuse is told before anything is created", async () => {
  const misused = [
    "criteria t1",
    "criteria t1 --list --add",
    "criteria t1 --add --source user_requested",
    "criteria t1 --add --criterion A",
    ["criteria", "t1", "--add", "--criterion", "  ", "--source", "user_requested"],
    "criteria t1 --add --criterion A --source me",
    "criteria t1 --add --criterion A --source user_requested --status accepted --status deferred",
    "criteria t1 --accept 1 --status deferred",
    "criteria t1 --accept x",
    "criteria t1 --list --status open",
    "criteria t1 --accept 1 --evidence-json []",
  ];
  for (const line of misused) expect(await w.run(line)).toMatchObject({ exit: 2, stdout: "" });
});

test("a criterion of another task is refused by task and id", async () => {
  await w.ok("tasks --create t2 --goal G");
  await w.ok("criteria t2 --add --criterion A --source user_requested");
  const { exit, stderr } = await w.run("criteria t1 --satisfy 1");
  expect(exit).toBe(1);
  expect(stderr).toContain('"t1" has no criterion 1');
});

test("proof, rationale and evidence are replaced only when given", async () => {
  await w.ok([
    "criteria",
    "t1",
    "--add",
    "--criterion",
    "A",
    "--source",
    "user_requested",
    "--proof",
    "p",
    "--rationale",
    "r",
    "--evidence-json",
    '{"a":1}',
  ]);
  expect(await w.ok("criteria t1 --satisfy 1")).toMatchObject({
    affected_criterion: { status: "satisfied", proof: "p", rationale: "r", evidence: { a: 1 } },
  });
  expect(await w.ok("criteria t1 --accept 1 --proof q --evidence-json {}")).toMatchObject({
    affected_criterion: { status: "accepted", proof: "q", rationale: "r", evidence: {} },
  });
  expect(await w.ok("criteria t1 --list --status deferred")).toMatchObject({ criteria: [], summary: { accepted: 1 } });
});

test("writing on a task that is over warns", async () => {
  w.rows("update tasks set state = 'done'");
  expect((await w.run("criteria t1 --add --criterion A --source user_requested")).stderr).toContain("is done already");
});

test("evidence that calls itself an adversarial check and is none is told by field", async () => {
  const { exit, stderr } = await w.run([
    "criteria",
    "t1",
    "--add",
    "--criterion",
    "A",
    "--source",
    "user_requested",
    "--evidence-json",
    '{"evidence_type":"adversarial_check","check":""}',
  ]);
  expect(exit).toBe(0);
  expect(stderr).toContain("failure_mode: expected a non-empty text, got nothing");
  expect(stderr).toContain('check: expected a non-empty text, got ""');
});
