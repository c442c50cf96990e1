/** Looks at sessions where what they see cannot be put on record: they tell what is there, and fail for nothing. */
import { appendFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { World } from "../../harness.ts";
import { event, THREAD } from "../../rollout.ts";
import { type FakeServer, servedByFake } from "../served-fake.ts";

const LATER = ["33333333-3333-4333-8333-333333333333", "33333334-3333-4333-8333-333333333333"];

let world: World;
let server: FakeServer;
beforeEach(async () => {
  world = new World();
  server = await servedByFake(world, { asks: false });
});
afterEach(async () => {
  await server.stop();
  world.close();
});

for (const [what, later] of [
  ["that it moved", LATER],
  ["that it goes on elsewhere", LATER.slice(0, 1)],
] as const)
  test(`${what}: sessions and discover tell what is on record, a change is refused, and the next look that can writes it`, async () => {
    const { db } = world.keepOpen();
    server.later = later;
    db.run("pragma query_only = on");
    const [session] = await world.ok("sessions");
    expect(session).toMatchObject({ name: "w1", codex_session_id: THREAD.worker, moved: null });
    expect((await world.ok("discover")).sessions).toMatchObject([{ name: "w1", moved: null }]);
    const said = await world.run("session-nudge w1 never");
    expect([said.exit, said.stderr]).toEqual([1, expect.stringContaining("cannot be written")]);
    db.run("pragma query_only = off");
    const [now] = await world.ok("sessions");
    expect(now.moved === null ? now.codex_session_id : now.moved.to).toBe(later.at(-1));
  });

test("deliveries tells what is open as it is on record", async () => {
  const { db } = world.keepOpen();
  db.run("update sessions set tmux_session = 'gone'");
  server.dies = (method) => method === "turn/start";
  await world.run("session-nudge w1 unanswered");
  const open = { state: "typed", proof: "pending" };
  expect(await world.ok("deliveries --json")).toMatchObject([open]);
  appendFileSync(world.rows<{ path: string }>("select codex_session_path as path from sessions")[0]!.path, event({ type: "other" }));
  db.run("pragma query_only = on");
  expect(await world.ok("deliveries --json")).toMatchObject([open]);
});
