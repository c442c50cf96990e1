/** Answering what a real Codex asks by its protocol: by us, by the person at its terminal, in race, and by whom it may be done. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { CodexSuiteWorld, OldestCodexWorld } from "../../agent-suite/codex-world.ts";
import { Terminal } from "../../agent-suite/world.ts";
import { strike, until } from "../../harness.ts";
import { LONG } from "../../long.ts";
import { listening, running } from "../../served-world.ts";

for (const [label, make] of [
  ["Codex", () => new CodexSuiteWorld()],
  ["the oldest Codex", () => new OldestCodexWorld()],
] as const) {
  describe(label, () => {
    const world = make();
    const terminal = new Terminal(world, "w1");
    let thread = "";

    /** Has it ask whether it may touch this file. */
    async function ask(file: string): Promise<void> {
      await world.ok(["session-nudge", "w1", `ask touch ${file}`]);
      await terminal.page("command_approval");
    }
    const made = (file: string): boolean => existsSync(join(world.project, file));

    beforeAll(async () => {
      const words = [
        "start-worker",
        "--name",
        "w1",
        "--cwd",
        world.project,
        "--timeout-seconds",
        "40",
        "--launch",
        "protocol",
        ...world.asking,
      ];
      thread = (await world.ok(words)).codex_session_id;
      await world.idle(thread);
    }, 60_000);
    afterAll(() => world.close());

    test("nothing asked: one sentence, and exit 1", async () => {
      const refused = await world.run("answer w1 yes");
      expect([refused.exit, refused.stderr.includes("asks nothing")]).toEqual([1, true]);
    });

    test("what it asks is shown whole, and a yes runs it", async () => {
      await ask("one");
      const shown = await world.ok("answer w1 --json");
      expect(shown).toMatchObject({
        kind: "command",
        session: "w1",
        choice: null,
        answered_by: null,
        sent: false,
        asked_reason: "to see what happens",
      });
      expect(shown.command).toContain("touch one");
      expect(shown.choices.map(({ word }: { word: string }) => word)).toEqual(["yes", "no"]);
      expect(made("one")).toBe(false);
      const wrong = await world.run(["answer", shown.id, "perhaps"]);
      expect([wrong.exit, wrong.stderr.includes('"perhaps" is no choice')]).toEqual([2, true]);
      expect(await world.ok(["answer", shown.id, "y", "--reason", "for the record", "--json"])).toMatchObject({
        choice: "yes",
        answered_by: "us",
        proof: "seen",
        sent: true,
      });
      await world.idle(thread);
      expect(made("one")).toBe(true);
      const again = await world.run(["answer", shown.id, "yes"]);
      expect([again.exit, again.stderr.includes("no longer asked")]).toEqual([1, true]);
      const [event] = world.rows<{ payload_json: string }>(
        "select payload_json from events where type = 'agent_ask_ended' order by id desc limit 1",
      );
      expect(JSON.parse(event!.payload_json)).toMatchObject({ answer: "yes", reason: "for the record", command: shown.command });
      await terminal.page("idle");
    }, 60_000);

    test("a no keeps it from running", async () => {
      await ask("two");
      expect(await world.ok("answer w1 no --reason because --json")).toMatchObject({ choice: "no", answered_by: "us" });
      await world.idle(thread);
      expect(made("two")).toBe(false);
      expect(world.rows("select answer, answer_reason, answered_by from agent_asks order by asked_at desc limit 1")).toEqual([
        { answer: "no", answer_reason: "because", answered_by: "us" },
      ]);
    }, 60_000);

    test("what the person at the terminal has answered is gone for us, and is told as theirs", async () => {
      await ask("three");
      const shown = await world.ok("answer w1 --json");
      await terminal.keys("y");
      await world.idle(thread);
      const late = await world.run(["answer", shown.id, "no", "--json"]);
      expect(late.exit).toBe(1);
      expect(made("three")).toBe(true);
      expect(world.rows("select answered_by, proof from agent_asks where id = ?", shown.id)).toEqual([
        { answered_by: "other", proof: "seen" },
      ]);
      expect((await world.run(["answer", shown.id, "no"])).stderr).toContain("it was answered at its terminal, or went away with its turn");
    }, 60_000);

    if (label !== "Codex" && !LONG) return;

    test("the session itself may not answer, and another agent only as its manager with operator.answer", async () => {
      await ask("four");
      const itself = await world.run("answer w1 yes", { env: { CODEX_THREAD_ID: thread } });
      expect([itself.exit, itself.stderr.includes("does not answer what it asks itself")]).toEqual([1, true]);
      const stranger = await world.run("answer w1 yes", { env: { CODEX_THREAD_ID: "01a22b85-e53e-7640-81f3-775592468099" } });
      expect([stranger.exit, stranger.stderr.includes("not on record")]).toEqual([1, true]);
      expect(made("four")).toBe(false);
      const manager = await world.ok(["start-manager", "--name", "m1", "--cwd", world.project, "--timeout-seconds", "40"]);
      await world.ok("tasks --create t1 --goal g");
      await world.ok("bind --task t1 --worker w1 --manager m1");
      const env = { CODEX_THREAD_ID: manager.codex_session_id };
      const ungranted = await world.run("answer w1 yes", { env });
      expect([ungranted.exit, ungranted.stderr.includes("operator.answer is not granted")]).toEqual([1, true]);
      await world.ok(["manager-config", "t1", "--permissions-json", '{"operator.answer": true}']);
      expect((await world.run("answer w1 no --json", { env })).json()).toMatchObject({ answered_by: "us" });
      expect(world.rows("select asker_session_id from agent_asks order by asked_at desc limit 1")).toEqual([
        { asker_session_id: manager.session_id },
      ]);
      await world.idle(thread);
      expect(made("four")).toBe(false);
    }, 90_000);

    test("an answer whose sender died before it was sent keeps nobody from answering, and is nobody's when it goes away", async () => {
      const dead = Bun.spawnSync(["true"]).pid;
      await ask("alive");
      const next = await world.ok("answer w1 --json");
      world.store().db.query("update agent_asks set answer = 'no', sent_at = asked_at, sender_pid = ? where id = ?").run(dead, next.id);
      expect(await world.ok(["answer", next.id, "yes", "--json"])).toMatchObject({ answered_by: "us", choice: "yes" });
      await world.idle(thread);
      expect(made("alive")).toBe(true);
      await ask("dead");
      const { id } = await world.ok("answer w1 --json");
      const claim = (pid: number) =>
        world.store().db.query("update agent_asks set answer = 'yes', sent_at = asked_at, sender_pid = ? where id = ?").run(pid, id);
      claim(process.ppid);
      const busy = await world.run(["answer", id, "no"], { env: {} });
      expect([busy.exit, busy.stderr.includes("just being answered")]).toEqual([1, true]);
      claim(dead);
      await terminal.keys("Escape");
      await world.idle(thread);
      expect((await world.run(["answer", id, "yes"])).exit).toBe(1);
      expect(world.rows("select answered_by, proof, ended_at is not null as ended from agent_asks where id = ?", id)).toEqual([
        { answered_by: null, proof: "unknown", ended: 1 },
      ]);
      expect(made("dead")).toBe(false);
    }, 90_000);

    test("what our interrupt takes away is nobody's answer, also to who only listens", async () => {
      const watch = listening(world);
      // Of the step that was interrupted before the scripted model tells first.
      await world.ok("session-nudge w1 hello");
      await world.idle(thread);
      await ask("five");
      const newest = () => world.rows("select answer, answered_by, proof from agent_asks order by asked_at desc, rowid desc limit 1");
      await until("the ask on record", () => newest()[0]?.proof === null);
      expect(await world.ok("session-interrupt w1")).toMatchObject({ sent: true });
      expect(newest()).toEqual([{ answer: null, answered_by: null, proof: "seen" }]);
      watch.close();
      await world.idle(thread);
      await terminal.page("idle");
      expect(made("five")).toBe(false);
    }, 60_000);

    test("what a server that died had asked goes with it: whether it was answered nobody can tell", async () => {
      await world.ok("session-nudge w1 between");
      await world.idle(thread);
      const watch = listening(world);
      await ask("killed");
      const { id } = await until(
        "the ask on record",
        () => world.rows<{ id: string }>("select id from agent_asks where ended_at is null")[0],
      );
      strike(...(await running(world, "app-server")));
      await until("its end on record", () => world.rows("select 1 from agent_asks where id = ? and ended_at is not null", id).length > 0);
      expect(world.rows("select answered_by, proof from agent_asks where id = ?", id)).toEqual([{ answered_by: null, proof: "unknown" }]);
      watch.close();
      await terminal.page("idle");
      expect(made("killed")).toBe(false);
    }, 90_000);
  });
}
