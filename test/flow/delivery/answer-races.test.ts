/**
 * The person's answer comes to a real Codex while ours is on the wire, and we hear of it only afterwards: what was done is what is
 * recorded, at once or when the step is through, and nothing is ours that is not proven.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Terminal } from "../../agent-suite/world.ts";
import { until } from "../../harness.ts";
import { LONG } from "../../long.ts";
import { ServedProxy } from "../../served-proxy.ts";
import { servedWorker, VERSIONS } from "../../served-world.ts";

for (const [label, make] of LONG === null ? VERSIONS.slice(0, 1) : VERSIONS)
  describe(label, () => {
    const world = make();
    const terminal = new Terminal(world, "w1");
    let thread = "";
    let proxy: ServedProxy;

    beforeAll(async () => {
      thread = await servedWorker(world, "w1", ...world.asking);
      proxy = new ServedProxy(world, "w1");
    }, 60_000);
    afterAll(async () => {
      await proxy.stop();
      await world.close();
    });

    /** Has it ask whether it may run this, and answers while the person's key is first. */
    async function race(command: string, choice: "yes" | "no", key: string) {
      // After a turn that was broken off the scripted model takes its output for the newest that was said.
      await world.ok("session-nudge w1 between");
      await world.idle(thread);
      await world.ok(["session-nudge", "w1", `ask ${command}`]);
      await terminal.page("command_approval");
      const act = async () => {
        await terminal.keys(key);
        await until("the person's answer", async () => (await terminal.screen()).page !== "command_approval");
      };
      proxy.meanwhile = { of: null, act };
      const done = await world.run(["answer", "w1", choice, "--json"]);
      expect(proxy.meanwhile).toBeNull();
      return { exit: done.exit, ...done.json() };
    }
    const recorded = (id: string) => world.rows("select answer, answered_by, proof from agent_asks where id = ?", id)[0];
    const made = (file: string): boolean => existsSync(join(world.project, file));

    test("our no, when they had allowed it: theirs", async () => {
      expect(await race("touch allowed", "no", "y")).toMatchObject({ exit: 1, answered_by: "person", proof: "seen" });
      await world.idle(thread);
      expect(made("allowed")).toBe(true);
    }, 60_000);

    test("our no, when they had allowed what takes long: nobody's until it is through, and then theirs", async () => {
      const gate = join(world.dir, "gate");
      const { id, ...done } = await race(`until [ -e ${gate} ]; do sleep 0.1; done`, "no", "y");
      expect(done).toMatchObject({ exit: 1, answered_by: null, proof: "pending", sent: true });
      expect(recorded(id)).toEqual({ answer: "no", answered_by: null, proof: null });
      await Bun.write(gate, "");
      await world.idle(thread);
      await world.ok("ingest w1");
      expect(recorded(id)).toEqual({ answer: "no", answered_by: "person", proof: "seen" });
    }, 60_000);

    // That a step was broken off looks alike, whether it had begun or not.
    test("our yes, when they had refused it and with it the turn: nobody can tell, and nothing runs", async () => {
      expect(await race("touch refused", "yes", "n")).toMatchObject({ exit: 1, answered_by: null, proof: "unknown" });
      await world.idle(thread);
      expect(made("refused")).toBe(false);
    }, 60_000);

    test("our no, when they had refused it and with it the turn: not ours", async () => {
      expect(await race("touch twice", "no", "Escape")).toMatchObject({ exit: 1, answered_by: null, proof: "unknown" });
      await world.idle(thread);
      expect(made("twice")).toBe(false);
    }, 60_000);

    test("our yes to what takes long, with nobody else: not told yet, and ours when it is through", async () => {
      const gate = join(world.dir, "gate-2");
      await world.ok("session-nudge w1 between");
      await world.idle(thread);
      await world.ok(["session-nudge", "w1", `ask until [ -e ${gate} ]; do sleep 0.1; done`]);
      await terminal.page("command_approval");
      const { id, ...done } = await world.ok("answer w1 yes --json");
      expect(done).toMatchObject({ answered_by: null, proof: "pending", sent: true });
      await Bun.write(gate, "");
      await world.idle(thread);
      expect((await world.run(["answer", id, "yes"])).stderr).toContain("it was answered from here");
      expect(recorded(id)).toEqual({ answer: "yes", answered_by: "us", proof: "seen" });
    }, 60_000);
  });
