/** Whose answer counted is what was done, as the record of the step has it, at once or later; what is not proven is nobody's. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { World } from "../../harness.ts";
import { CUT_OFF, DECLINED, type FakeServer, RAN, returned, servedByFake, turnOver } from "../served-fake.ts";

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
const ends = () => world.rows("select answered_by as by, proof, ended_at is not null as ended from agent_asks");
const events = () =>
  world
    .rows<{ type: string; payload_json: string }>(
      "select type, payload_json from events where type in ('agent_ask_ended', 'agent_ask_settled') order by id",
    )
    .map(({ type, payload_json }) => [type, JSON.parse(payload_json).answered_by, JSON.parse(payload_json).proof]);

for (const [choice, output, by, proof, exit] of [
  ["yes", RAN, "us", "seen", 0],
  ["no", DECLINED, "us", "seen", 0],
  // Somebody else had said so before ours came.
  ["no", RAN, "person", "seen", 1],
  ["yes", DECLINED, "person", "seen", 1],
  ["yes", CUT_OFF, null, "unknown", 1],
  ["no", CUT_OFF, null, "unknown", 1],
] as const)
  test(`${choice}, and the record says: ${output.split("\n").at(-1) || "it ran"}`, async () => {
    server.writes = () => returned(output);
    const done = await world.run(["answer", "w1", choice, "--json"]);
    expect([done.exit, done.json()]).toEqual([exit, expect.objectContaining({ choice, answered_by: by, proof, sent: true })]);
    expect(ends()).toEqual([{ by, proof, ended: 1 }]);
  });

for (const [choice, exit, later, by, proof] of [
  ["yes", 0, returned(RAN), "us", "seen"],
  ["no", 1, returned(RAN), "person", "seen"],
  ["yes", 0, returned(DECLINED), "person", "seen"],
  ["no", 1, turnOver, null, "unknown"],
] as const)
  test(`${choice} while nothing stands there yet: not yet ours, and ${by ?? "nobody"}'s once the record goes on`, async () => {
    server.writes = () => null;
    const done = await world.run(["answer", "w1", choice, "--json"]);
    expect([done.exit, done.json()]).toEqual([exit, expect.objectContaining({ answered_by: null, proof: "pending", sent: true })]);
    expect(ends()).toEqual([{ by: null, proof: null, ended: 1 }]);
    const { id } = done.json();
    expect((await world.run(["answer", id, "yes"])).stderr).toContain("whose answer counted shows when its step is through");
    server.record.append(later);
    await world.ok("ingest w1");
    expect(ends()).toEqual([{ by, proof, ended: 1 }]);
    server.record.append(returned(choice === "yes" ? DECLINED : RAN));
    await world.ok("ingest w1");
    expect(ends()).toEqual([{ by, proof, ended: 1 }]);
    expect(events()).toEqual([
      ["agent_ask_ended", null, null],
      ["agent_ask_settled", by, proof],
    ]);
  });

test("who asks for it again is told what stands there by then", async () => {
  server.writes = () => null;
  const { id } = await world.ok("answer w1 yes --json");
  server.record.append(returned(RAN));
  expect((await world.run(["answer", id, "yes"])).stderr).toContain("it was answered from here");
});

test("a person at a terminal is told that it is not told yet", async () => {
  server.writes = () => null;
  const done = await world.run("answer w1 yes", { ttyOut: true });
  expect(done.stdout).toContain("sent: yes\nwhether this answer counted, or one given at its terminal, shows when the step has ended");
});

test("another answer than ours to a question is somebody else's", async () => {
  server.options = ["left", "right"];
  server.writes = () => returned(JSON.stringify({ answers: { q: { answers: ["right"] } } }));
  const done = await world.run("answer w1 left --json");
  expect([done.exit, done.json()]).toEqual([1, expect.objectContaining({ answered_by: "person", proof: "seen" })]);
});
