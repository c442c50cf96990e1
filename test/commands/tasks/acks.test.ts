import { afterEach, beforeEach, expect, test } from "bun:test";
import { World } from "../../harness.ts";

let w: World;
beforeEach(async () => {
  w = new World();
  await w.ok("tasks --create t1 --goal G");
});
afterEach(() => w.close());

test("an acknowledgement is stored with its revision and read back", async () => {
  expect(await w.ok("worker-ack t1 --json")).toBeNull();
  const full = { goal_restatement: "G", proposed_criteria: [], expected_tools: [], open_questions: [], ready_to_start: true };
  const done = await w.run("worker-ack t1 --from-stdin --correlation-id c1", { stdin: JSON.stringify(full) });
  expect(done).toMatchObject({ exit: 0, stderr: "" });
  expect(done.json()).toMatchObject({
    role: "worker",
    revision: 1,
    manager_config_revision: null,
    binding_id: null,
    correlation_id: "c1",
    payload: full,
  });
  expect(await w.ok("worker-ack t1 --from-stdin --json", { stdin: "{}" })).toMatchObject({ revision: 2, payload: {} });
  expect(await w.ok("worker-ack t1 --json")).toMatchObject({ revision: 2 });
  expect(await w.ok("manager-ack t1 --from-stdin", { stdin: "{}" })).toMatchObject({ role: "manager", revision: 1 });
  expect(
    w.rows("select actor, correlation_id, payload_json as p from events where type = 'worker_ack_recorded' order by id limit 1"),
  ).toEqual([
    {
      actor: "worker",
      correlation_id: "c1",
      p: '{"ack_id":1,"binding_id":null,"payload_keys":["expected_tools","goal_restatement","open_questions","proposed_criteria","ready_to_start"],"role":"worker"}',
    },
  ]);
});

test("missing fields are warned of by name, with what was expected and what came", async () => {
  const { exit, stderr } = await w.run("worker-ack t1 --from-stdin", {
    stdin: '{"goal_restatement":"G","proposed_criteria":"x","expected_tools":[],"ready_to_start":false}',
  });
  expect(exit).toBe(0);
  expect(stderr).toContain('warning: proposed_criteria: expected a list of criteria, got "x"');
  expect(stderr).toContain("warning: open_questions: expected a list of questions, got nothing");
  expect(stderr).toContain("warning: ready_to_start: expected true, got false");
});

test("an empty correlation id is none", async () => {
  expect(await w.ok(["worker-ack", "t1", "--from-stdin", "--correlation-id="], { stdin: "{}" })).toMatchObject({ correlation_id: null });
});

test("a byte order mark in front is no part of the document", async () => {
  expect(await w.ok("worker-ack t1 --from-stdin", { stdin: '\ufeff{"a":1}' })).toMatchObject({ payload: { a: 1 } });
});

test("what is not one JSON object is refused and leaves nothing", async () => {
  for (const stdin of ["", " ", "{", "[]", "3", "null", '"x"', "{} {}"])
    expect((await w.run("worker-ack t1 --from-stdin", { stdin })).exit).toBe(1);
  expect((await w.run("worker-ack t1 --from-stdin", { tty: true })).exit).toBe(1);
  expect((await w.run("worker-ack t1 --from-stdin", { stdin: `{"a":"${"x".repeat(9 << 20)}"}` })).exit).toBe(1);
  const deep = `${'{"a":'.repeat(2000)}1${"}".repeat(2000)}`;
  expect((await w.run("worker-ack t1 --from-stdin", { stdin: deep })).stderr).toContain("nested too deeply");
  expect((await w.run("worker-ack t1 --from-stdin", { stdin: Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d) })).stderr).toContain(
    "not UTF-8",
  );
  expect((await w.run("worker-ack t1")).exit).toBe(2);
  expect((await w.run("worker-ack nope --json")).stderr).toContain("nope");
  expect(w.rows("select 1 from task_acknowledgements")).toEqual([]);
});

test("an acknowledgement of an older configuration is called stale", async () => {
  await w.ok("worker-ack t1 --from-stdin", { stdin: "{}" });
  const { saveConfig } = await import("../../../src/store/tasks/manager-configs.ts");
  const store = w.store();
  saveConfig(store, w.rows<{ id: string }>("select id from tasks")[0]!.id, {});
  expect((await w.run("worker-ack t1 --json")).stderr).toContain("current one is revision 1");
});
