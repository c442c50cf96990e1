/**
 * A turn that its person left behind by /new: what Dispatch has for the session waits until that turn is over and the session is followed,
 * what the turn asks can be answered, and its end is told.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { cardOf } from "../../../src/dashboard/cards.ts";
import { Machine } from "../../../src/dashboard/machine.ts";
import { shownTask } from "../../../src/store/dashboard/tasks.ts";
import { writtenThreads } from "../../../src/system/codex/lock.ts";
import { Hands } from "../../codex-hands.ts";
import { until } from "../../harness.ts";
import { LONG } from "../../long.ts";
import { ServedProxy } from "../../served-proxy.ts";
import { asksElsewhere, boundTask, servedWorker, stopWatching, VERSIONS, watching } from "../../served-world.ts";

for (const [label, make] of LONG === null ? VERSIONS.slice(0, 1) : VERSIONS)
  describe(label, () => {
    const world = make();
    const hands = new Hands(world, "codex-w1");
    let watch: Bun.Subprocess | null = null;
    const unwatched = async (): Promise<void> => {
      if (watch !== null) await stopWatching(watch);
      watch = null;
    };

    beforeAll(async () => {
      await servedWorker(world, "w1", ...world.asking);
      await boundTask(world);
      // Its manager is this very process, which needs the right to answer.
      await world.ok(["manager-config", "t1", "--permissions-json", '{"operator.answer": true}']);
    }, 60_000);
    afterAll(async () => {
      await unwatched();
      await world.close();
    });

    const thread = (): string => world.rows<{ id: string }>("select codex_session_id as id from sessions where name = 'w1'")[0]!.id;
    const queue = async (message: string): Promise<string> =>
      (await world.ok(["enqueue-nudge-worker", "t1", "--message", message, "--json"])).command_id;
    const only = async () => (await world.ok("dispatch --type nudge_worker --json")).processed;
    const story = (id: string) => world.rows("select state, attempts, error from commands where id = ?", id)[0];
    const attempts = (id: string) =>
      world.rows<{ state: string }>("select state from command_attempts where command_id = ? order by id", id).map(({ state }) => state);
    const told = (turn: string) =>
      world.rows("select 1 from routed_notifications where json_extract(payload_json, '$.worker_receipt.turn_id') = ?", turn).length;

    /** What the page tells first that its person has to do, and by which command. */
    const pressing = (): (string | null | undefined)[] => {
      const [cx, store, none] = [world.context(), world.store(), () => []];
      const [{ id }] = world.rows<{ id: string }>("select id from tasks where name = 't1'") as [{ id: string }];
      const [first] = cardOf({ cx, store }, shownTask(store, id)!, new Machine(cx, store, none, none, none).look).waits;
      return [first?.text, first?.actions[0]?.command.join(" ")];
    };

    /** Its person goes on, and in the conversation that they left a turn begins with these words; gives that conversation and the turn. */
    async function leave(words: string): Promise<{ left: string; turn: string }> {
      // Who listens would follow before that turn begins.
      await unwatched();
      const left = thread();
      const { size } = writtenThreads(world.codexHome);
      await hands.rest();
      await hands.say("/new");
      await until("another conversation", () => writtenThreads(world.codexHome).size === size + 1);
      const [row] = world.rows<{ socket: string }>("select socket from session_sockets where socket is not null");
      const input = [{ type: "text", text: words, text_elements: [] }];
      const { turn } = await asksElsewhere(row!.socket, "turn/start", { threadId: left, input });
      // A moment after it has begun the server has it as idle yet.
      const read = { threadId: left, includeTurns: false };
      await until("its turn", async () => (await asksElsewhere(row!.socket, "thread/read", read)).thread.status.type === "active");
      return { left, turn: turn.id };
    }

    test("a message is parked, no attempt is counted, and it goes to where the session is followed", async () => {
      const { left, turn } = await leave("hold first");
      await until("its turn", () => world.model.isHolding("first"));
      const id = await queue("for the new one");
      for (const _ of [1, 2])
        expect(await only()).toMatchObject([
          { command_id: id, state: "parked", error_type: "TurnLeftBehind", side_effect_started: false, side_effect_completed: false },
        ]);
      expect(story(id)).toEqual({ state: "pending", attempts: 0, error: null });
      expect(attempts(id)).toEqual(["abandoned", "abandoned"]);
      expect(thread()).toBe(left);
      world.model.release("first");
      await world.idle(left);
      // The conversation rests a moment after its turn has ended.
      await until("the sending", async () => (await only())[0]?.state === "delivered");
      expect(story(id)).toEqual({ state: "succeeded", attempts: 1, error: null });
      expect([thread() === left, world.userTexts(left).includes("for the new one")]).toEqual([false, false]);
      expect(world.userTexts(thread())).toEqual(["for the new one"]);
      await world.idle(thread());
      await world.ok("dispatch --once");
      expect(told(turn)).toBe(1);
    }, 60_000);

    test("a Dispatch that watches sends it as soon as the session is followed, and does not try meanwhile", async () => {
      const { left, turn } = await leave("hold second");
      await until("its turn", () => world.model.isHolding("second"));
      watch = await watching(world, "d");
      const id = await queue("after the second");
      await until("the parking", () => attempts(id).includes("abandoned"));
      world.model.release("second");
      await until("the delivery", () => attempts(id).at(-1) === "succeeded", 30);
      expect(attempts(id)).toEqual(["abandoned", "succeeded"]);
      expect([world.userTexts(left).includes("after the second"), world.userTexts(thread())]).toEqual([false, ["after the second"]]);
      await until("that its end is told", () => told(turn) === 1);
      await world.idle(thread());
    }, 60_000);

    test("one that asks is not left until it was answered: what it asks is on record, and its end is told", async () => {
      const { left, turn } = await leave("ask touch left-behind");
      watch = await watching(world, "d");
      await until("the ask on record", () => world.rows("select 1 from agent_asks where ended_at is null").length === 1);
      const id = await queue("after the third");
      await until("the parking", () => attempts(id).includes("abandoned"));
      expect([thread(), await hands.text()]).toEqual([left, expect.not.stringContaining("left-behind")]);
      expect(await world.ok("cycle t1")).toMatchObject({ turn: "open", moved: null, asks: [{ thread_id: left }] });
      expect(pressing()).toEqual([
        "w1 asks: may it run this command? $ /bin/bash -lc 'touch left-behind'",
        expect.stringMatching(/^conveyor answer ask-\S+ yes$/),
      ]);
      expect(await world.ok("answer w1 yes --json")).toMatchObject({ choice: "yes", sent: true });
      await world.idle(left);
      expect(existsSync(join(world.project, "left-behind"))).toBe(true);
      expect(String(pressing()[1])).not.toContain("conveyor answer");
      await until("that its end is told", () => told(turn) === 1);
      await until("the delivery", () => attempts(id).at(-1) === "succeeded", 30);
      expect([thread() === left, world.userTexts(thread())]).toEqual([false, ["after the third"]]);
      await world.idle(thread());
    }, 60_000);

    test("one that is about to begin, since something is just being said, is not left either", async () => {
      await unwatched();
      const left = thread();
      const proxy = new ServedProxy(world, "w1");
      const { size } = writtenThreads(world.codexHome);
      await hands.rest();
      const act = async () => {
        await hands.say("/new");
        await until("another conversation", () => writtenThreads(world.codexHome).size === size + 1);
        expect((await world.ok("cycle t1")).moved).toBeNull();
      };
      proxy.meanwhile = { of: "turn/start", act };
      expect(await world.ok("session-nudge w1 just-said")).toMatchObject({ proof: "seen" });
      expect(world.userTexts(left)).toContain("just-said");
      await world.idle(left);
      await proxy.stop();
      watch = await watching(world, "d");
      await until("that it is followed", () => thread() !== left);
      const [turn] = world
        .rollouts()
        .get(left)!
        .flatMap((fact) => (fact.kind === "user" && fact.text === "just-said" ? (fact.turnId ?? []) : []));
      await until("that its end is told", () => told(turn!) === 1);
      await world.ok("session-nudge w1 here");
      await world.idle(thread());
    }, 60_000);

    test("interrupted it is over, and what is said afterwards goes to where its person is", async () => {
      const { left } = await leave("ask touch broken-off");
      await until("the ask", async () => (await world.ok("cycle t1")).asks.length === 1);
      expect(await world.ok("session-interrupt w1 --followup onwards")).toMatchObject({ sent: true, followup_proof: "seen" });
      expect(
        world.rows("select answer, answered_by, proof from agent_asks where turn_id is not null order by asked_at desc limit 1"),
      ).toEqual([{ answer: null, answered_by: null, proof: "seen" }]);
      expect([thread() === left, world.userTexts(thread())]).toEqual([false, ["onwards"]]);
      expect(existsSync(join(world.project, "broken-off"))).toBe(false);
      await world.idle(thread());
    }, 60_000);

    test("gone on again meanwhile it is moved for good, and a message fails as to any such session", async () => {
      await leave("hold fourth");
      await until("its turn", () => world.model.isHolding("fourth"));
      watch = await watching(world, "d");
      const id = await queue("to nobody");
      await until("the parking", () => attempts(id).includes("abandoned"));
      await hands.rest();
      await hands.say("/new");
      await until("the failure", () => (story(id) as any).state === "failed", 30);
      expect(story(id)).toMatchObject({ error: expect.stringContaining("shows thread") });
      world.model.release("fourth");
    }, 60_000);
  });
