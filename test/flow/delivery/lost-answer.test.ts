/**
 * A server that dies while our answer is on its way: nobody is told that it was answered. Choices that a number, or a word, may mean two of.
 * And what one look at a server asks of it.
 */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { World } from "../../harness.ts";
import { type FakeServer, servedByFake } from "../served-fake.ts";

let world: World;
let server: FakeServer;
beforeEach(async () => {
  world = new World();
  server = await servedByFake(world, { asks: true });
});
afterEach(async () => {
  await server.stop();
  world.close();
});
const ends = () => world.rows("select answered_by, proof, answer, ended_at is not null as ended from agent_asks");

test("it had our answer when it died: nobody can tell, then and later", async () => {
  const { id } = await world.ok("answer w1 --json");
  server.dies = (method) => method === "answer";
  const done = await world.run("answer w1 yes --json");
  expect([done.exit, done.stdout]).toEqual([1, ""]);
  expect(done.stderr).toContain(`nobody can tell whether the answer to ${id} was taken`);
  expect(ends()).toEqual([{ answered_by: null, proof: "unknown", answer: "yes", ended: 1 }]);
  const [event] = world.rows<{ payload_json: string }>("select payload_json from events where type = 'agent_ask_ended'");
  expect(JSON.parse(event!.payload_json)).toMatchObject({ answered_by: null, proof: "unknown", answer: "yes" });
  expect((await world.run(["answer", id, "yes"])).stderr).toContain("nobody can tell whether it was answered");
});

test("it hung when it had our answer: nobody can tell", async () => {
  const { id } = await world.ok("answer w1 --json");
  server.hangs = (method) => method === "answer";
  const done = await world.run("answer w1 yes --json");
  expect([done.exit, done.stdout]).toEqual([1, ""]);
  expect(done.stderr).toContain(`nobody can tell whether the answer to ${id} was taken: the server of "w1" does not answer any more`);
  expect(ends()).toEqual([{ answered_by: null, proof: "unknown", answer: "yes", ended: 1 }]);
});

test("it died before our answer went out: not answered, and gone", async () => {
  const { id } = await world.ok("answer w1 --json");
  server.asked.length = 0;
  server.dies = (method) => method === "thread/read" && server.asked.filter((each) => each === method).length === 2;
  const done = await world.run("answer w1 yes --json");
  expect([done.exit, done.stdout]).toEqual([1, ""]);
  expect(done.stderr).toContain(`${id} was not answered, and is no longer asked`);
  expect(ends()).toEqual([{ answered_by: null, proof: "seen", answer: "yes", ended: 1 }]);
  expect((await world.run(["answer", id, "yes"])).stderr).toContain("it went away unanswered");
});

for (const [options, choice, chosen] of [
  [["8", "2", "4"], "2", "2"],
  [["8", "2", "4"], "4", "4"],
  [["a", "A"], "A", "A"],
  [["2", "1"], "1.", "2"],
] as const)
  test(`${choice} of ${options} is ${chosen}`, async () => {
    server.options = options;
    expect(await world.ok(["answer", "w1", choice, "--json"])).toMatchObject({ choice: chosen, answered_by: "us" });
    expect(server.answer).toEqual({ answers: { q: { answers: [chosen] } } });
  });

for (const [options, choice] of [
  [["2", "4", "8"], "2"],
  [["a", "A", "b"], "B."],
  [["Yes", "YES"], "yes"],
  [["2", "1"], "3."],
] as const)
  test(`${choice} of ${options} is none, or two of them: nothing is answered`, async () => {
    server.options = options;
    const refused = await world.run(["answer", "w1", choice]);
    expect([refused.exit, refused.stderr]).toEqual([2, expect.stringContaining(JSON.stringify(choice))]);
    expect(server.asked).not.toContain("answer");
  });

test("what it asks cannot pass for more of what we tell", async () => {
  server.options = ["one\n  2. two"];
  const shown = await world.run("answer w1", { ttyOut: true });
  expect(shown.stdout).toContain("  1. one\n      |   2. two\n");
});

test("one look asks for each thing once, and for no conversation that is older than the one on record", async () => {
  await world.ok("answer w1 --json");
  expect(server.asked).toEqual(["initialize", "thread/loaded/list", "thread/read", "thread/resume"]);
  expect(server.connections).toBe(1);
});
