/** start-worker --resume: a conversation that has ended is gone on with by the way, and with the permissions and model, that are asked for. */
import { afterAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { VERSIONS } from "../../served-world.ts";
import { until } from "../../harness.ts";

for (const [label, make] of VERSIONS) {
  describe(label, () => {
    const world = make();
    afterAll(() => world.close());
    const starting = ["start-worker", "--name", "w1", "--cwd", world.project, "--timeout-seconds", "60"];
    let thread = "";
    /** What the newest turn ran with. */
    const context = () => {
      const path = world.rows<{ path: string }>("select codex_session_path as path from sessions")[0]!.path;
      const lines = readFileSync(path, "utf8").trim().split("\n");
      return lines.map((line: string) => JSON.parse(line)).findLast((each: { type: string }) => each.type === "turn_context").payload;
    };
    const runs = async () => (await world.ok("sessions --name w1")).length > 0;

    for (const [way, transport, sandbox, approval, effort] of [
      ["protocol", "codex_protocol", "danger-full-access", "never", "low"],
      ["tmux", "tmux", "read-only", "on-request", "high"],
    ] as const)
      test(`by ${way}, with other permissions and another effort than it had`, async () => {
        if (thread === "") {
          const first = await world.ok([...starting, "--sandbox", "read-only", "--ask-for-approval", "on-request"]);
          thread = first.codex_session_id;
          await world.idle(thread);
        }
        expect(await runs()).toBe(true);
        await world.ok("stop w1 --json");
        const chosen = ["--launch", way, "--sandbox", sandbox, "--ask-for-approval", approval, "--effort", effort, "--resume", thread];
        expect(await world.ok([...starting, ...chosen])).toMatchObject({ codex_session_id: thread, launch: way, launch_why: null });
        const said = world.userTexts(thread);
        expect(await world.ok(["session-nudge", "w1", `by ${way}`])).toMatchObject({ transport, proof: "seen" });
        await world.idle(thread);
        // No first words of ours.
        expect(world.userTexts(thread)).toEqual([...said, `by ${way}`]);
        expect(context()).toMatchObject({
          approval_policy: approval,
          sandbox_policy: { type: sandbox },
          collaboration_mode: { settings: { reasoning_effort: effort } },
        });
        expect(world.rows("select permissions_json, effort, launch from session_agents")).toEqual([
          { permissions_json: JSON.stringify({ ask_for_approval: approval, sandbox }), effort, launch: way },
        ]);
      }, 120_000);

    test("refused: one that has not ended, one that is not there, what is no thread, and first words", async () => {
      const other = ["start-worker", "--name", "w2", "--cwd", world.project];
      const none = "11111111-1111-4111-8111-111111111111";
      for (const [words, exit, said] of [
        [["--resume", thread], 1, `thread ${thread} is written by process`],
        [["--resume", none], 1, `no rollout of thread ${none}`],
        [["--resume", "../w1"], 1, "--resume takes the id of a thread of Codex"],
        [["--resume", thread, "--task", "go"], 2, "exclude each other"],
      ] as const) {
        const refused = await world.run([...other, ...words]);
        expect([refused.exit, refused.stdout, refused.stderr]).toEqual([exit, "", expect.stringContaining(said)]);
      }
      expect(world.rows("select name from sessions")).toEqual([{ name: "w1" }]);
      await until("no terminal of it", () => !Bun.spawnSync(["tmux", "list-sessions"], { env: world.env }).stdout.includes("w2"));
    });

    test("what reconcile proposes, also to who has another home, revives it by the way on record", async () => {
      Bun.spawnSync(["tmux", "kill-session", "-t", "=codex-w1"], { env: world.env });
      await until("its end", async () => (await world.ok("reconcile")).dead_pid_sessions.length === 1);
      // The last of its threads may hold its locks a moment longer than it is seen to live.
      const twice = await until("the end of its lock", async () => {
        const done = await world.run(["start-worker", "--name", "w2", "--cwd", world.project, "--resume", thread]);
        return done.stderr.includes("is written by") ? undefined : done;
      });
      expect([twice.exit, twice.stderr]).toEqual([1, expect.stringContaining(`thread ${thread} is on record as that of a session`)]);
      const env = { CODEX_HOME: world.work };
      const { next_commands } = await world.ok("reconcile --apply", { env });
      expect(next_commands).toEqual(["conveyor revive --all"]);
      const { revived } = await world.ok("revive --all --json", { env });
      expect(revived).toMatchObject([{ session: "w1", launch: "tmux", codex_session_id: thread }]);
      expect(await world.ok(["session-nudge", "w1", "back again"])).toMatchObject({ transport: "tmux", proof: "seen" });
      await world.idle(thread);
      expect(context()).toMatchObject({ approval_policy: "on-request", sandbox_policy: { type: "read-only" } });
    }, 120_000);
  });
}
