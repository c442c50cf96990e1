/** Real Codex sessions started, found and registered; and what is said when that cannot be. */
import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { capturePane } from "../../../src/system/terminal/panes.ts";
import { hasSession } from "../../../src/system/terminal/sessions.ts";
import { CodexWorld } from "../../codex-world.ts";

const world = new CodexWorld();
afterAll(() => world.close());

describe("start-worker with the real Codex", () => {
  test("a task becomes the first turn, and the session on record is the one in the pane", async () => {
    const started = await world.ok([
      "start-worker",
      "--name",
      "w1",
      "--cwd",
      world.project,
      "--task",
      "Say 'it'; $HOME `x`;",
      "--timeout-seconds",
      "30",
    ]);
    expect(started).toMatchObject({ name: "w1", role: "worker", tmux_session: "codex-w1", cwd: world.project });
    expect(await world.saidTo(started.codex_session_id)).toEqual(["Say 'it'; $HOME `x`;"]);
    const [row] = world.rows<{ pid: number; tmux_pane_id: string }>("select pid, tmux_pane_id from sessions where name = 'w1'");
    expect(row).toEqual({ pid: started.pid, tmux_pane_id: expect.stringMatching(/^%\d+$/) });
  });

  test("without a task it stands by and is known all the same; a long prompt arrives whole", async () => {
    const standby = await world.ok(["start-worker", "--name", "w2", "--cwd", world.project, "--timeout-seconds", "30"]);
    expect(await world.saidTo(standby.codex_session_id)).toHaveLength(1);
    const long = `- begin ${"x y ".repeat(8000)}end`;
    const spoken = await world.ok(["start-worker", "--name", "w3", "--cwd", world.project, "--task", long, "--timeout-seconds", "30"]);
    expect(await world.saidTo(spoken.codex_session_id)).toEqual([long]);
    expect(new Set([standby.codex_session_id, spoken.codex_session_id, standby.pid, spoken.pid]).size).toBe(4);
  });

  test("first words that could be a command, of a shell or of Codex, stay words", async () => {
    for (const [index, words] of ["!touch never-made", "exec", "/quit", "resume"].entries()) {
      const name = `words${index}`;
      const started = await world.ok(["start-worker", "--name", name, "--cwd", world.project, "--task", words, "--timeout-seconds", "30"]);
      expect((await world.saidTo(started.codex_session_id)).map((said) => said.trim())).toEqual([words]);
    }
    expect(existsSync(join(world.project, "never-made"))).toBe(false);
  }, 120_000);

  test("names that are taken, odd or of the other role are refused before anything starts", async () => {
    for (const [words, said] of [
      ["start-worker --name w1", "registered already"],
      ["start-manager --name w1", "registered as worker"],
      ["start-worker --name a.b", "may hold only letters"],
      ["start-worker --name w9 --cwd /no/such", "no folder at /no/such"],
    ] as const) {
      const refused = await world.run(words);
      expect(refused.exit).toBe(1);
      expect(refused.stderr).toContain(said);
    }
    expect(await hasSession(world.env, "codex-w9")).toBe(false);
  });

  test("a session that was given up can be started again under its name", async () => {
    await world.ok("deregister w2");
    await Bun.spawn(["tmux", "kill-session", "-t", "=codex-w2"], { env: world.env }).exited;
    const again = await world.ok(["start-worker", "--name", "w2", "--cwd", world.project, "--timeout-seconds", "30"]);
    expect(again.session_id).toBe(world.rows<{ id: string }>("select id from sessions where name = 'w2'")[0]!.id);
  });

  test("a program that ends at once is reported with its last words, and nothing is left", async () => {
    const refused = await world.run(["start-worker", "--name", "w4", "--cwd", world.project, "--sandbox", "no-such-mode"]);
    expect(refused.exit).toBe(1);
    expect(refused.stderr).toContain("no-such-mode");
    expect(await hasSession(world.env, "codex-w4")).toBe(false);
  });

  test("a start that Codex gave up by bad timing is made once more, and only once", async () => {
    const codex = Bun.which("codex", world.env)!;
    for (const [name, times] of [
      ["w5", 1],
      ["w6", 2],
    ] as const) {
      const tries = join(world.dir, `tries-${name}`);
      const script = `#!/bin/sh\ncase $* in --version | *--help | app-server*) exec ${codex} "$@" ;; esac\necho >> ${tries}\n[ $(wc -l < ${tries}) -gt ${times} ] && exec ${codex} "$@"\necho 'Error: timed out discarding buffered terminal input'; exit 1\n`;
      chmodSync(await world.file(`bin-${name}/codex`, script), 0o755);
      const done = await world.run(["start-worker", "--name", name, "--cwd", world.project, "--task", "hello", "--timeout-seconds", "30"], {
        env: { PATH: `${join(world.dir, `bin-${name}`)}:${world.env.PATH}` },
      });
      expect([name, done.exit, done.stderr]).toEqual([name, times - 1, times === 1 ? "" : expect.stringContaining("timed out discarding")]);
      expect(readFileSync(tries, "utf8")).toBe("\n\n");
    }
    expect(await hasSession(world.env, "codex-w6")).toBe(false);
  });
});

describe("a folder that Codex does not trust yet", () => {
  const strange = new CodexWorld(undefined, { trusted: false });
  afterAll(() => strange.close());

  test("without --accept-trust the page is named, nothing is answered or registered, and the way on is told", async () => {
    const refused = await strange.run([
      "start-worker",
      "--name",
      "w1",
      "--cwd",
      strange.project,
      "--task",
      "hello",
      "--timeout-seconds",
      "30",
    ]);
    expect(refused.exit).toBe(1);
    expect(refused.stderr).toContain("Codex asks whether to trust the folder");
    expect(refused.stderr).toContain("--accept-trust");
    expect(await strange.ok("sessions --state all")).toEqual([]);
    expect(await capturePane(strange.env, "codex-w1", 0)).toContain("Trust this folder?");
  });

  test("with --accept-trust it is answered, and the first words are not eaten", async () => {
    const started = await strange.ok([
      "start-worker",
      "--name",
      "w2",
      "--cwd",
      strange.project,
      "--task",
      "hello",
      "--accept-trust",
      "--timeout-seconds",
      "30",
    ]);
    expect(await strange.saidTo(started.codex_session_id)).toEqual(["hello"]);
  });
});
