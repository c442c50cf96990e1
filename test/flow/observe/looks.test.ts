/** Looks at sessions where what they see cannot be put on record, or nothing is to be seen: they tell what is on record, and fail for nothing. */
import { appendFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { World } from "../../harness.ts";
import { event, meta, rollout, THREAD } from "../../rollout.ts";
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

test("a server that has hung: looks tell what is on record, and a cycle waits for both sides at once", async () => {
  const manager = await rollout(world, meta(THREAD.manager), THREAD.manager);
  await world.ok(["register-manager", "--name", "m1", "--pid", String(process.pid), "--codex-session", manager.path]);
  world
    .store()
    .db.query("insert into session_sockets (session_id, socket) select id, ? from sessions where name = 'm1'")
    .run(server.socket);
  await world.ok("tasks --create t1 --goal g");
  await world.ok("bind --task t1 --worker w1 --manager m1");
  server.hangs = () => true;
  for (const line of ["sessions --name w1", "discover w1", "cycle t1"]) expect((await world.run(line)).exit).toBe(0);
  expect([server.connections, server.atOnce]).toEqual([4, 2]);
});
