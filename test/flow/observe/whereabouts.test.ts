/** Where a session with a server of its own is, after what its person does in the pane: followed for certain, or moved and told so. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writtenThreads } from "../../../src/system/codex/lock.ts";
import { tmuxResult } from "../../../src/system/terminal/tmux.ts";
import { CodexSuiteWorld, OldestCodexWorld } from "../../agent-suite/codex-world.ts";
import { Hands } from "../../codex-hands.ts";
import { until } from "../../harness.ts";
import { meta, rollout, THREAD } from "../../rollout.ts";
import { LONG } from "../../long.ts";
import { asksElsewhere, listening } from "../../served-world.ts";

type Row = Record<string, any>;

for (const [label, make] of [
  ["Codex", () => new CodexSuiteWorld()],
  ["the oldest Codex", () => new OldestCodexWorld()],
] as const) {
  describe(`${label} by protocol`, () => {
    const world = make();
    const hands = new Hands(world, "codex-w1");
    let first: Row;

    const session = async (): Promise<Row> => (await world.ok("sessions --name w1"))[0];
    const stored = (): Row => world.rows<Row>("select * from sessions where name = 'w1'")[0]!;
    const events = (type: string): Row[] =>
      world
        .rows<{ payload_json: string }>("select payload_json from events where type = ? order by id", type)
        .map(({ payload_json }) => JSON.parse(payload_json));
    const said = async (text: string): Promise<Row> => {
      const sent = await world.ok(["session-nudge", "w1", text]);
      expect(sent).toMatchObject({ transport: "codex_protocol", proof: "seen" });
      return sent;
    };
    const begins = async (command: string): Promise<void> => {
      await hands.rest();
      await hands.say(command);
    };

    beforeAll(async () => {
      first = await world.ok(["start-worker", "--name", "w1", "--cwd", world.project, "--timeout-seconds", "60", "--launch", "protocol"]);
      const manager = await rollout(world, meta(THREAD.manager), THREAD.manager);
      await world.ok(["register-manager", "--name", "m1", "--pid", String(process.pid), "--codex-session", manager.path]);
      await world.ok("tasks --create t1 --goal g");
      await world.ok("bind --task t1 --worker w1 --manager m1");
      await world.idle(first.codex_session_id);
    }, 60_000);
    afterAll(() => world.close());

    test("a rewind is told at once, in the same conversation's new file", async () => {
      await said("before the rewind");
      await world.idle(first.codex_session_id);
      await hands.rewind();
      await hands.keys("C-u");
      const { codex_session_path: path, codex_session_id: thread, moved } = await session();
      expect([thread, moved, path === first.codex_session_path]).toEqual([first.codex_session_id, null, false]);
      await said("after the rewind");
      expect(await Bun.file(path).text()).toContain("after the rewind");
      await world.idle(thread);
    }, 60_000);

    test("/clear on our request is followed like a person's", async () => {
      const { codex_session_id: before } = await session();
      await hands.rest();
      await world.ok("manager-config t1 --allow-worker-compact-clear");
      await world.ok("handoff t1 --summary s");
      const cleared = await world.run("request-worker-compact t1 --clear");
      expect([cleared.exit, cleared.stderr]).toEqual([0, ""]);
      const after = await until("the cleared one", async () => {
        const { codex_session_id: thread } = await session();
        return thread !== before && thread;
      });
      await said("after clearing");
      expect(world.userTexts(after)).toEqual(["after clearing"]);
      await world.idle(after);
    }, 60_000);

    test("/new is followed: name, binding and mail stay, what is said goes there", async () => {
      await world.ok(["enqueue-nudge-worker", "t1", "--message", "mail"]);
      const { codex_session_id: before } = await session();
      await begins("/new");
      await until("the new one", async () => (await session()).codex_session_id !== before);
      const now = await session();
      expect(now).toMatchObject({ name: "w1", id: first.session_id, state: "active", moved: null, pid: first.pid });
      expect(events("session_conversation_followed").at(-1)).toMatchObject({ from: before, to: now.codex_session_id });
      // Nothing was said there yet, so nothing is written.
      expect(await world.ok("cycle t1")).toMatchObject({ moved: null, worker_session: "w1" });
      await world.ok("dispatch --once");
      expect(await world.saidTo(now.codex_session_id)).toEqual([expect.stringContaining("mail")]);
      await world.idle(now.codex_session_id);
      expect((await world.ok("cycle t1")).turn).toBe("completed");
      expect(world.userTexts(before).join()).not.toContain("mail");
    }, 60_000);

    test("/new while a turn begins that the pane has not heard of: followed at that turn's end, which the manager is told", async () => {
      const { codex_session_id: before, socket } = await session();
      const written = writtenThreads(world.codexHome).size;
      await begins("/new");
      await until("another conversation", () => writtenThreads(world.codexHome).size === written + 1);
      const input = [{ type: "text", text: "hold behind", text_elements: [] }];
      const { turn } = await asksElsewhere(socket, "turn/start", { threadId: before, input });
      await until("its turn", () => world.model.isHolding("behind"));
      const watch = listening(world);
      expect(await world.ok("cycle t1")).toMatchObject({ turn: "open", moved: null });
      const refused = await world.run("session-nudge w1 too-early");
      expect([refused.exit, refused.stderr]).toEqual([1, expect.stringContaining("shows thread")]);
      world.model.release("behind");
      const now = await until("that it is followed", () => stored().codex_session_id !== before && stored().codex_session_id);
      watch.close();
      await world.ok("dispatch --once");
      expect(
        world.rows("select state from routed_notifications where json_extract(payload_json, '$.worker_receipt.turn_id') = ?", turn.id),
      ).toHaveLength(1);
      await said("in the new one");
      expect(world.userTexts(now)).toEqual(["in the new one"]);
      await world.idle(now);
    }, 60_000);

    if (label !== "Codex" && !LONG) return;

    test("/fork is followed by who listens, without any command; the compaction of it changes nothing", async () => {
      const before = stored().codex_session_id;
      const watch = listening(world);
      await begins("/fork");
      await until("the fork on record", () => stored().codex_session_id !== before);
      watch.close();
      const fork = stored().codex_session_id;
      await said("to the fork");
      await world.idle(fork);
      await hands.rest();
      await world.ok("handoff t1 --summary again");
      await world.ok("request-worker-compact t1");
      await said("after compacting");
      await world.idle(fork);
      expect(stored().codex_session_id).toBe(fork);
      expect(world.userTexts(fork)).toContain("after compacting");
    }, 60_000);

    test("what another client begins is nobody's conversation", async () => {
      const { codex_session_id: own, socket } = await session();
      const { id: other } = (await asksElsewhere(socket, "thread/start", { cwd: world.project })).thread;
      await said("still here");
      expect(await session()).toMatchObject({ codex_session_id: own, moved: null });
      expect(world.userTexts(other)).toEqual([]);
      await world.idle(own);
    }, 60_000);

    test("gone on twice with nobody looking: moved, told everywhere, nothing said, and one command takes it on record", async () => {
      const { codex_session_id: own } = await session();
      const written = writtenThreads(world.codexHome).size;
      for (const more of [1, 2]) {
        await begins("/new");
        await until("another conversation", () => writtenThreads(world.codexHome).size === written + more);
      }
      const { moved } = await until("that it moved", async () => {
        const now = await session();
        return now.moved !== null && now;
      });
      expect(stored().codex_session_id).toBe(own);
      const refused = await world.run(["session-nudge", "w1", "to nobody"]);
      expect([refused.exit, refused.stderr.includes(`hint: ${moved.command}`)]).toEqual([1, true]);
      expect((await world.run("session-interrupt w1")).exit).toBe(1);
      expect((await world.ok("discover w1")).sessions[0].moved).toEqual(moved);
      expect((await world.ok("cycle t1")).moved).toEqual(moved);
      for (const thread of [own, moved.to]) expect(world.userTexts(thread).join()).not.toContain("to nobody");
      await world.ok(moved.command.split(" ").slice(1));
      expect(await session()).toMatchObject({ codex_session_id: moved.to, moved: null });
      await said("taken on record");
      expect(world.userTexts(moved.to)).toEqual(["taken on record"]);
      await world.idle(moved.to);
    }, 90_000);

    test("another window on the same conversation changes nothing; what is begun there is not followed", async () => {
      const { codex_session_id: own, socket } = await session();
      const second = new Hands(world, "second");
      const words = ["resume", "--remote", `unix://${socket}`, "-C", world.project, own];
      await tmuxResult(world.env, ["new-session", "-d", "-s", "second", "-x", "120", "-y", "40", "-c", world.project, "codex", ...words]);
      await second.rest();
      await said("seen in both");
      await world.idle(own);
      expect(await session()).toMatchObject({ codex_session_id: own, moved: null });
      await second.rest();
      await second.say("/new");
      const { moved } = await until("that it may have moved", async () => {
        const now = await session();
        return now.moved !== null && now;
      });
      expect(moved.to).not.toBe(own);
      expect(stored().codex_session_id).toBe(own);
      await tmuxResult(world.env, ["kill-session", "-t", "=second"]);
      expect((await session()).moved).toEqual(moved);
      // Whoever knows that the pane still shows the same says so.
      await world.ok(["register-worker", "--name", "w1", "--codex-session", own, "--tmux-session", "codex-w1"]);
      await said("the same as ever");
      expect(await session()).toMatchObject({ codex_session_id: own, moved: null, launch: "protocol" });
    }, 90_000);

    if (!LONG) return;

    test("an earlier conversation that is taken up again may be what its person has in front: moved, by the hint alone", async () => {
      const { codex_session_id: own, socket } = await session();
      const problems: string[] = [];
      const watch = listening(world, (problem) => problems.push(problem));
      const words = ["resume", "--remote", `unix://${socket}`, "-C", world.project, first.codex_session_id];
      await tmuxResult(world.env, ["new-session", "-d", "-s", "third", "-x", "120", "-y", "40", "-c", world.project, "codex", ...words]);
      await until("the hint", () => world.rows("select 1 from session_moves").length === 1);
      watch.close();
      expect(problems).toEqual([]);
      const { moved } = await session();
      expect(moved).toMatchObject({ to: first.codex_session_id, told_by: "hint" });
      expect((await world.run("session-nudge w1 never")).exit).toBe(1);
      await world.ok(["register-worker", "--name", "w1", "--codex-session", own, "--tmux-session", "codex-w1"]);
      await said("still the same");
      await world.idle(own);
    }, 90_000);
  });
}
