/** When a dispatcher looks after texts that an agent's server was given: at its start and when something is told, never by the clock. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { newMemory, type PassScene } from "../../../src/flow/dispatch/items.ts";
import { recoverLost } from "../../../src/flow/dispatch/recover.ts";
import { inTurn } from "../../../src/flow/dispatch/send.ts";
import { addDelivery, keepText, type NewDelivery, noteLost, textsUnderWay } from "../../../src/store/deliveries.ts";
import { findSession } from "../../../src/store/sessions/sessions.ts";
import { tx } from "../../../src/store/store.ts";
import { World } from "../../harness.ts";
import { THREAD } from "../../rollout.ts";
import { type FakeServer, servedByFake } from "../served-fake.ts";

let world: World;
let server: FakeServer;
beforeEach(async () => {
  world = new World();
  server = await servedByFake(world, { asks: false });
  server.turn = "inProgress";
});
afterEach(async () => {
  await server.stop();
  world.close();
});

/** A text that was given to the server and is not in the record. */
function underWay(id: string, state: "typed" | "sending", sender: number): void {
  const store = world.store();
  const { id: sessionId, codex_session_path: path } = findSession(store, "w1")!;
  const row: NewDelivery = {
    ...{
      id,
      origin: "test",
      session_id: sessionId,
      session_name: "w1",
      task_id: null,
      command_id: null,
      notification_id: null,
      client_id: id,
    },
    ...{
      transport: "codex_protocol" as const,
      state,
      proof: "pending" as const,
      text_digest: "0",
      text_lines: 1,
      text_length: 1,
      thread_id: THREAD.worker,
    },
    ...{ rollout_path: path, start_offset: 0, side_effect_started: 1, sender_pid: sender, error: null },
  };
  tx(store, () => {
    addDelivery(store, row, []);
    keepText(store, id, "x");
  });
}

test("one look at the start, and one for each thing that is told; none besides", async () => {
  const store = world.store();
  const claimant = { dispatcherId: "d", leaseSeconds: 60, holder: null };
  const scene: PassScene = { cx: world.context(), store, claimant };
  const memory = newMemory();
  const carrier = inTurn(scene, () => {});
  const looks = async (): Promise<number> => {
    const before = server.connections;
    for (let pass = 0; pass < 5; pass++) await recoverLost(scene, [], carrier, memory);
    return server.connections - before;
  };
  underWay("delivery-1", "typed", process.pid);
  expect(await looks()).toBe(1);
  expect(await looks()).toBe(0);
  noteLost(store, ["delivery-1"]);
  expect(await looks()).toBe(1);
  // Its sender has died: nobody else could tell.
  underWay("delivery-2", "sending", Bun.spawnSync(["true"]).pid);
  expect(await looks()).toBe(1);
  // One that is just being sent is its sender's.
  underWay("delivery-3", "sending", process.pid);
  expect(await looks()).toBe(0);
});

test("a session whose process has died takes nothing any more: its texts are settled as any other", async () => {
  const store = world.store();
  const scene: PassScene = { cx: world.context(), store, claimant: { dispatcherId: "d", leaseSeconds: 60, holder: null } };
  underWay("delivery-1", "typed", process.pid);
  server.pane.kill("SIGKILL");
  await server.pane.exited;
  await recoverLost(
    scene,
    [],
    inTurn(scene, () => {}),
    newMemory(),
  );
  expect(textsUnderWay(store)).toEqual([]);
  expect(server.connections).toBe(0);
});
