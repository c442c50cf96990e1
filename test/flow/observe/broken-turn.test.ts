/** A server that is killed in the middle of a turn: nothing is written of its end, and it is told all the same. */
import { afterAll, describe, expect, test } from "bun:test";
import { strike, until } from "../../harness.ts";
import { LONG } from "../../long.ts";
import { boundTask, listening, running, servedWorker, VERSIONS } from "../../served-world.ts";

for (const [label, make] of VERSIONS)
  describe(label, () => {
    const world = make();
    afterAll(() => world.close());
    const turn = async () => {
      const { state, turn } = await world.ok("cycle t1");
      return [state, turn];
    };
    const breakOff = async (command: string): Promise<void> => {
      await world.ok(["session-nudge", "w1", `run ${command}`]);
      await world.runs(command);
      expect(await turn()).toEqual(["busy", "open"]);
      strike(...(await running(world, "app-server")));
    };

    test("a cycle tells it as aborted once another server has taken its place, and the next turn as any other", async () => {
      const thread = await servedWorker(world, "w1");
      await boundTask(world);
      await breakOff("sleep 611");
      await until("its end", async () => (await turn())[1] === "aborted", 60);
      expect(await turn()).toEqual(["idle", "aborted"]);
      await world.ok("session-nudge w1 on");
      await world.idle(thread);
      expect(await turn()).toEqual(["idle", "completed"]);
    }, 120_000);

    if (label !== "Codex" && !LONG) return;

    test("who listens puts it on record without anybody's look", async () => {
      const watch = listening(world);
      const before = world.rows("select event_id from broken_turns");
      await breakOff("sleep 612");
      await until("it on record", () => JSON.stringify(world.rows("select event_id from broken_turns")) !== JSON.stringify(before), 60);
      watch.close();
      expect(await turn()).toEqual(["idle", "aborted"]);
    }, 120_000);
  });
