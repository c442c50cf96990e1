/** What Claude Code asks on a page, answered by that page's own keys: shown, pressed once, and told by the record whose answer counted. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ClaudeSuiteWorld } from "../../agent-suite/claude-world.ts";
import { describeClaude } from "../../claude-world.ts";
import { until } from "../../harness.ts";
import { tmux } from "../../panes.ts";
import { boundTask, MAIN } from "../../served-world.ts";

describeClaude("a page that asks", () => {
  let world: ClaudeSuiteWorld;
  const made = (name: string) => existsSync(join(world.project, name));
  const waits = () => world.status("claude-w1", "waiting");
  const rests = () => world.status("claude-w1", "idle");
  const nudge = async (text: string) => {
    await rests();
    await world.ok(["session-nudge", "w1", text]);
    await waits();
  };
  const asked = () => world.ok("answer w1 --json");
  const press = (...keys: string[]) => tmux(world, "send-keys", "-t", "=claude-w1:", ...keys);

  beforeAll(async () => {
    world = new ClaudeSuiteWorld();
    await world.ok(["start-worker", "--name", "w1", "--cwd", world.project, "--timeout-seconds", "60", ...world.asking]);
    await boundTask(world);
    // Whoever runs these commands is taken for the manager.
    await world.ok(["manager-config", "t1", "--permissions-json", '{"operator.answer": true}']);
  }, 90_000);
  afterAll(() => world.close());

  test("a command: what would be run is shown, and allowed once", async () => {
    await nudge("ask touch allowed");
    const ask = await asked();
    expect(ask).toMatchObject({ kind: "command", command: "touch allowed", answered_by: null, sent: false });
    expect([ask.choices[0].word, ask.choices.at(-1).word]).toEqual(["yes", "no"]);
    expect((await world.ok("cycle t1")).asks).toMatchObject([{ id: ask.id, question: ask.question }]);
    expect(made("allowed")).toBe(false);
    const done = await world.ok(`answer ${ask.id} yes --json`);
    expect(done).toMatchObject({ id: ask.id, choice: "yes", sent: true, answered_by: "us", proof: "seen" });
    expect(made("allowed")).toBe(true);
    await rests();
    expect((await world.ok("cycle t1")).asks).toEqual([]);
    expect(await world.run(`answer ${ask.id} yes`)).toMatchObject({ exit: 1, stdout: "" });
  }, 90_000);

  test("a command longer than the screen: all of it is shown, and none of its words are the question", async () => {
    const tail = Array.from({ length: 60 }, (_, n) => `# ${n}, may I list the files?`);
    world.model.longCommand = ["touch hidden", ...tail].join("\n");
    await nudge("long-command");
    expect(await asked()).toMatchObject({ kind: "permission", command: world.model.longCommand, question: "Do you want to proceed?" });
    await world.ok("answer w1 no --json");
    await rests();
    expect(made("hidden")).toBe(false);
  }, 90_000);

  test("a command that is declined is not run", async () => {
    await nudge("ask touch declined");
    expect(await world.ok("answer w1 no --reason not-here --json")).toMatchObject({ choice: "no", answered_by: "us", proof: "seen" });
    await rests();
    expect(made("declined")).toBe(false);
    expect((await world.ok("cycle t1")).turn).toBe("aborted");
  }, 90_000);

  test("a question: one of its choices, and words of one's own", async () => {
    await nudge("question");
    expect(await asked()).toMatchObject({ kind: "question", command: null, takes_text: true });
    expect(await world.ok("answer w1 blue --json")).toMatchObject({ choice: "Blue", answered_by: "us", proof: "seen" });
    await nudge("question again");
    expect(await world.ok(["answer", "w1", "--text", "!neither, /green", "--json"])).toMatchObject({ answered_by: "us", proof: "seen" });
    await rests();
  }, 90_000);

  test("a question with a picture beside its choices: by the words of one, and its last choice below a rule", async () => {
    await nudge("question previews");
    const ask = await asked();
    expect(ask).toMatchObject({ kind: "question", question: "Which layout shall it have?" });
    expect(ask.choices.map(({ word }: { word: string }) => word)).toEqual(["Wide", "Narrow", "None", "Chat about this"]);
    press("Down", "Down");
    expect(await world.ok("answer w1 narrow --json")).toMatchObject({ choice: "Narrow", answered_by: "us", proof: "seen" });
    await rests();
    expect(JSON.stringify(world.lines(world.live()[0]!.sessionId))).toContain('\\"Which layout shall it have?\\"=\\"Narrow\\"');
  }, 90_000);

  test("a fetch: what would be fetched is shown, and it is not", async () => {
    await nudge("fetch https://example.invalid/page?of=it");
    const ask = await asked();
    expect([ask.kind, ask.command]).toEqual(["permission", expect.stringContaining("https://example.invalid/page?of=it")]);
    expect(await world.ok("answer w1 no --json")).toMatchObject({ choice: "no", answered_by: "us", proof: "seen" });
    await rests();
  }, 90_000);

  test("a file: its name is what is asked about", async () => {
    await nudge("write a-file.txt");
    expect(await asked()).toMatchObject({ kind: "file", command: expect.stringContaining("a-file.txt") });
    expect(await world.ok("answer w1 yes --json")).toMatchObject({ answered_by: "us", proof: "seen" });
    await rests();
    expect(made("a-file.txt")).toBe(true);
  }, 90_000);

  test("answered at its terminal meanwhile: nothing is pressed into what it asks next", async () => {
    await nudge("ask touch first");
    const { id } = await asked();
    press("1");
    await rests();
    await nudge("ask touch second");
    const late = await world.run(`answer ${id} yes`);
    expect(late).toMatchObject({ exit: 1, stdout: "" });
    expect(late.stderr).toContain("no longer asked");
    expect([made("first"), made("second")]).toEqual([true, false]);
    expect(world.rows("select answered_by, proof from agent_asks where id = ?", id)).toEqual([{ answered_by: "other", proof: "seen" }]);
    expect(await world.ok("answer w1 no --json")).toMatchObject({ answered_by: "us" });
    await rests();
    expect(made("second")).toBe(false);
  }, 90_000);

  test("three who answer at once: one of them does, and it runs once", async () => {
    await nudge("ask echo x >> counted");
    const all = ["yes", "yes", "no"].map((word) =>
      Bun.spawn([...MAIN, "answer", "w1", word, "--json"], { env: world.env, cwd: world.work, stderr: "pipe" }),
    );
    const said = await Promise.all(all.map((one) => new Response(one.stdout).text()));
    const told = await Promise.all(all.map((one) => new Response(one.stderr).text()));
    await Promise.all(all.map((one) => one.exited));
    expect(told.filter((words) => words !== "").every((words) => /answered already|no longer ask|asks nothing/.test(words)) || told).toBe(
      true,
    );
    await rests();
    const sent = said.filter((text, at) => all[at]!.exitCode === 0 && text !== "").map((text) => JSON.parse(text));
    expect([sent.length, told.filter((words) => words !== "").length]).toEqual([1, 2]);
    const { choice } = sent[0]!;
    expect(made("counted") ? await Bun.file(join(world.project, "counted")).text() : "").toBe(choice === "yes" ? "x\n" : "");
  }, 90_000);

  test("interrupting it presses no key: any key is an answer there", async () => {
    await nudge("ask touch never");
    const refused = await world.run("session-interrupt w1");
    expect([refused.exit, refused.stdout]).toEqual([1, ""]);
    expect(refused.stderr).toContain("waits for an answer");
    expect(refused.stderr).toContain("answer w1");
    await waits();
    await world.ok("answer w1 no --json");
    await until("its end", rests);
    expect(made("never")).toBe(false);
  }, 90_000);
});

describeClaude("a plan", () => {
  test("is approved, or not", async () => {
    const world = new ClaudeSuiteWorld();
    try {
      await world.ok(["start-worker", "--name", "w1", "--cwd", world.project, "--timeout-seconds", "60", "--permission-mode", "plan"]);
      await world.status("claude-w1", "idle");
      await world.ok("session-nudge w1 plan");
      await world.status("claude-w1", "waiting");
      const ask = await world.ok("answer w1 --json");
      expect(ask).toMatchObject({ kind: "plan" });
      expect(ask.choices[1]).toEqual({ word: "yes", label: "Yes, manually approve edits" });
      const yes = await world.ok("answer w1 yes --json");
      expect(yes).toMatchObject({ choice: "yes", answered_by: "us", proof: "seen" });
    } finally {
      await world.close();
    }
  }, 90_000);
});
