/**
 * What a server says and does in faults that the real one cannot be made to show: here it is a fake. What is recorded is what can be
 * known.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { World } from "../../harness.ts";
import { lonelyWorker, THREAD } from "../../rollout.ts";

const world = new World();
world.realTime = true;
const socket = join(world.dir, "socket");
const dead = Bun.spawnSync(["true"]).pid;

/** Knows the worker's thread, idle, and meets what is said to it as it is told to. */
let meets: "refuses" | "ends" | "ends before" = "refuses";
const thread = { id: THREAD.worker, path: null, cwd: world.work, createdAt: 1, status: { type: "idle" } };
const results: Record<string, object> = {
  "thread/loaded/list": { data: [THREAD.worker], nextCursor: null },
  "thread/read": { thread },
};
const server = Bun.serve({
  unix: socket,
  fetch: (request, self) => (self.upgrade(request) ? undefined : new Response(null, { status: 400 })),
  websocket: {
    message(to, data) {
      const { id, method } = JSON.parse(String(data));
      if (id === undefined) return;
      if (method === "thread/resume" && meets === "ends before") {
        meets = "refuses";
        return to.terminate();
      }
      if (method !== "turn/start") return void to.send(JSON.stringify({ id, result: results[method] ?? {} }));
      if (meets === "ends") return to.terminate();
      to.send(JSON.stringify({ id, error: { code: -32600, message: "Server is draining; retry after reconnecting" } }));
    },
  },
});

const rows = () => world.rows("select state, proof, side_effect_started as begun from deliveries order by created_at, rowid");
const underWay = () => world.rows("select 1 from texts_under_way").length;

beforeAll(async () => {
  await lonelyWorker(world);
  const { db } = world.store();
  db.query("insert into session_sockets (session_id, socket) select id, ? from sessions").run(socket);
  db.query("update sessions set tmux_session = 'gone', pid = ?").run(dead);
});
afterAll(async () => {
  await server.stop(true);
  world.close();
});

test("refused by a server whose session ends meanwhile: not sent, and that is certain", async () => {
  const said = await world.run("session-nudge w1 refused");
  expect(said.exit).toBe(1);
  expect(said.stderr).toContain(`process ${dead} of session "w1" is dead`);
  expect(rows()).toEqual([{ state: "failed", proof: "pending", begun: 0 }]);
  expect(underWay()).toBe(0);
});

test("a server that ends before anything was said to it is asked once more when it is there again", async () => {
  meets = "ends before";
  expect((await world.run("session-nudge w1 twice")).stderr).toContain(`process ${dead} of session "w1" is dead`);
  expect(rows()[1]).toEqual({ state: "failed", proof: "pending", begun: 0 });
  expect(world.rows("select step from delivery_steps where step in ('server', 'refused') order by rowid desc limit 3").reverse()).toEqual([
    { step: "server" },
    { step: "server" },
    { step: "refused" },
  ]);
});

test("a server that ends before it answers: not yet; and when its session has ended, too, nobody can tell", async () => {
  meets = "ends";
  await world.run("session-nudge w1 unanswered");
  expect(rows()[2]).toEqual({ state: "typed", proof: "pending", begun: 1 });
  expect(world.rows("select error from deliveries where state = 'typed'")).toEqual([
    { error: 'the server of "w1" ended before anything showed that the message arrived' },
  ]);
  expect(underWay()).toBe(1);
  await world.run("dispatch --ingest");
  expect(underWay()).toBe(0);
  await world.ok("deliveries --json");
  expect(rows()[2]).toEqual({ state: "unknown", proof: "pending", begun: 1 });
  expect(world.rows("select error from deliveries where state = 'unknown'")).toEqual([
    { error: "what it was said to ended before it was taken, and the rollout does not show the text" },
  ]);
});
