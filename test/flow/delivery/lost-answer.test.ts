/** A server that dies while our answer is on its way: nobody is told that it was answered. And what one look at a server asks of it. */
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

test("one look asks for each thing once, and for no conversation that is older than the one on record", async () => {
  await world.ok("answer w1 --json");
  expect(server.asked).toEqual(["initialize", "thread/loaded/list", "thread/read", "thread/resume"]);
  expect(server.connections).toBe(1);
});
