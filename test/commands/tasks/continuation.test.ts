import { afterEach, beforeEach, expect, test } from "bun:test";
import { World } from "../../harness.ts";

let w: World;
beforeEach(async () => {
  w = new World();
  await w.ok("tasks --create t1 --goal G");
});
afterEach(() => w.close());

const submit = (role: string, turn: string | null, payload: object) =>
  w.run(`continuation t1 --submit ${role} --from-stdin${turn ? ` --correlation-id ${turn}` : ""}`, { stdin: JSON.stringify(payload) });
const RUN = { reviewer_session_id: "r", manager_session_id: "m", manager_rollout_access: false };
const review = (turn: string, change: object = {}) =>
  w.run(`continuation t1 --review --from-stdin --correlation-id ${turn}`, {
    stdin: JSON.stringify({ agreement: "match", verdict: "proceed", rationale: "x", subagent_run: RUN, ...change }),
  });
const shown = async (flags: string) =>
  (await w.ok(`continuation t1 --list --include-payload ${flags}`)).continuations.map((row: { proposer: string; payload?: unknown }) => [
    row.proposer,
    row.payload ?? null,
  ]);

test("a worker's proposal opens a turn, revisions count across turns", async () => {
  const first = (await submit("worker", null, { b: 1, a: 2 })).json();
  expect(first).toMatchObject({ proposer: "worker", revision: 1, correlation_id: expect.stringMatching(/^continuation-[0-9a-f-]{36}$/) });
  expect((await submit("worker", "t2", {})).json()).toMatchObject({ revision: 2, correlation_id: "t2" });
  expect((await submit("manager", "t2", {})).json()).toMatchObject({ revision: 1 });
  expect(
    w.rows(
      "select actor, correlation_id as c, payload_json as p from events where type = 'task_continuation_recorded' order by id limit 1",
    ),
  ).toEqual([{ actor: "worker", c: first.correlation_id, p: '{"continuation_id":1,"payload_keys":["a","b"],"proposer":"worker"}' }]);
});

test("the manager answers only a turn that was opened", async () => {
  const { exit, stderr } = await submit("manager", "nowhere", {});
  expect(exit).toBe(1);
  expect(stderr).toContain("nowhere");
  expect((await w.run("continuation t1 --submit manager --from-stdin", { stdin: "{}" })).exit).toBe(2);
  expect(w.rows("select 1 from task_continuations")).toEqual([]);
});

test("nobody reads the other side too early", async () => {
  await submit("worker", "a", { w: 1 });
  expect(await shown("--as-role manager")).toEqual([["worker", null]]);
  expect((await w.run("continuation t1 --list --include-payload --as-role manager --correlation-id a")).exit).toBe(1);
  expect((await w.run("continuation t1 --list --as-role manager --correlation-id a")).exit).toBe(0);
  await submit("manager", "a", { m: 1 });
  expect(await shown("--as-role manager --correlation-id a")).toEqual([
    ["worker", { w: 1 }],
    ["manager", { m: 1 }],
  ]);
  expect(await shown("--as-role worker")).toEqual([
    ["worker", { w: 1 }],
    ["manager", null],
  ]);
  await w.ok("manager-config t1 --permit context.spawn_reviewer");
  expect((await review("a")).exit).toBe(0);
  expect(await shown("--as-role worker --correlation-id a")).toEqual([
    ["worker", { w: 1 }],
    ["manager", { m: 1 }],
  ]);
  await submit("manager", "a", { m: 2 });
  expect(await shown("--as-role worker")).toEqual([
    ["worker", { w: 1 }],
    ["manager", { m: 1 }],
    ["manager", null],
  ]);
  for (const role of ["all", "reviewer"])
    expect(await shown(`--as-role ${role}`)).toEqual([
      ["worker", { w: 1 }],
      ["manager", { m: 1 }],
      ["manager", { m: 2 }],
    ]);
  expect((await w.ok("continuation t1 --list --correlation-id other")).reviews).toEqual([]);
  expect((await w.ok("continuation t1 --list --correlation-id a")).reviews).toEqual([
    expect.objectContaining({ correlation_id: "a", operator_routing_required: false }),
  ]);
});

test("all that is wrong in a review is named at once, by its path", async () => {
  await submit("worker", "a", {});
  await w.ok("manager-config t1 --permit context.spawn_reviewer");
  const lone = await review("a");
  expect(lone.stderr).toContain("no proposal of the manager");
  await submit("manager", "a", {});
  const { exit, stderr } = await review("a", {
    agreement: "same",
    verdict: undefined,
    rationale: " ",
    subagent_run: { manager_session_id: 3, manager_rollout_access: true },
  });
  expect(exit).toBe(1);
  expect(stderr).toContain('agreement: expected one of match, compatible, divergent, got "same"');
  expect(stderr).toContain("verdict: expected one of proceed, amend, stop, got nothing");
  expect(stderr).toContain('rationale: expected a non-empty text, got " "');
  expect(stderr).toContain("subagent_run.reviewer_session_id: expected a non-empty text, got nothing");
  expect(stderr).toContain("subagent_run.manager_rollout_access: expected false");
  expect((await review("a", { subagent_run: { ...RUN, reviewer_session_id: "m" } })).stderr).toContain("differs from manager_session_id");
  expect((await review("a", { addendum: 3 })).stderr).toContain("addendum: expected a text, got 3");
  expect(w.rows("select 1 from continuation_reviews")).toEqual([]);
});

test("a review needs the permission before anything is read", async () => {
  await submit("worker", "a", {});
  await submit("manager", "a", {});
  expect((await review("a")).stderr).toContain("context.spawn_reviewer");
});
