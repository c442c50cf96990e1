/** Commands that Codex itself runs: they register that very session, with a process of its own and under a daemon that others share. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { foundSessions } from "../../../src/flow/sessions/found-sessions.ts";
import { writtenThreads } from "../../../src/system/codex/lock.ts";
import { newSession } from "../../../src/system/terminal/sessions.ts";
import { CodexWorld, PlainModel } from "../../codex-world.ts";
import { until } from "../../harness.ts";

const CODEX = join(import.meta.dir, "../../../node_modules/.bin/codex");
const program = `${process.execPath} ${join(import.meta.dir, "../../../src/main.ts")}`;

interface Row {
  readonly codex_session_id: string;
  readonly pid: number | null;
  readonly tmux_session: string | null;
  readonly tmux_pane_id: string | null;
}

class SelfWorld extends CodexWorld {
  constructor(private readonly flags: readonly string[]) {
    super(new PlainModel().script);
  }

  /** A Codex of its own in a terminal, whose first words are to run this; gives its thread. */
  async start(name: string, command: string, cwd = this.project): Promise<string> {
    const words = `run ${command}`;
    await newSession(this.env, {
      name,
      cwd,
      argv: [CODEX, ...this.flags, "--sandbox", "danger-full-access", "--ask-for-approval", "never", words],
    });
    const thread = await until(
      `the thread of ${name}`,
      () => [...this.rollouts()].find(([, facts]) => facts.some((fact) => fact.kind === "user" && fact.text === words))?.[0],
      40,
    );
    await this.idle(thread);
    return thread;
  }

  row(name: string): Row | undefined {
    return this.rows<Row>("select codex_session_id, pid, tmux_session, tmux_pane_id from sessions where name = ?", name)[0];
  }

  async report(name: string): Promise<{ report: any; thread: string }> {
    const file = join(this.dir, `${name}.json`);
    const thread = await this.start(name, `${program} doctor-self > ${file}`);
    await until("the report", () => existsSync(file));
    return { report: JSON.parse(readFileSync(file, "utf8")), thread };
  }
}

describe("with a process of its own", () => {
  const world = new SelfWorld(["--no-daemon"]);
  afterAll(() => world.close());

  test("--self takes thread, process and pane of that very session", async () => {
    for (const [name, role] of [
      ["codex-w1", "worker"],
      ["codex-w10", "manager"],
    ] as const) {
      const thread = await world.start(name, `${program} register-${role} --name ${name} --self`);
      const [pane] = Bun.spawnSync(["tmux", "list-panes", "-t", `=${name}:`, "-F", "#{pane_id}"], { env: world.env })
        .stdout.toString()
        .split("\n");
      expect(world.row(name)).toEqual({
        codex_session_id: thread,
        pid: writtenThreads(world.codexHome).get(thread)!,
        tmux_session: name,
        tmux_pane_id: pane!,
      });
    }
    expect(await world.ok(["session-nudge", "codex-w1", "to the first"])).toMatchObject({ transport: "tmux", proof: "seen" });
  });

  test("doctor-self believes the TMUX that it finds itself in", async () => {
    const { report, thread } = await world.report("doctor");
    expect(report).toMatchObject({
      current_session: "doctor",
      tmux_believed: true,
      self: { ok: true, codex_session_id: thread, tmux_session: "doctor" },
    });
  });

  test("the thread id of another session, or of none, is not believed", async () => {
    const other = world.row("codex-w1")!.codex_session_id;
    const file = join(world.dir, "said");
    await world.start("thief", `CODEX_THREAD_ID=${other} ${program} register-worker --name thief --self 2> ${file}`);
    expect(readFileSync(file, "utf8")).toContain("may be somebody else's");
    expect(world.row("thief")).toBeUndefined();
    const outside = await world.run("register-worker --name thief --self", { env: { CODEX_THREAD_ID: other } });
    expect(outside).toMatchObject({ exit: 1, stdout: "" });
    expect((await world.run("register-worker --name thief --self", { env: { CODEX_THREAD_ID: "../../etc" } })).stderr).toContain(
      "is no thread id",
    );
  });

  test("a thread id alone names the process that writes it, and nobody when nobody does", async () => {
    const first = world.row("codex-w1")!;
    const twice = await world.run(["register-worker", "--name", "by-thread", "--codex-session", first.codex_session_id]);
    expect(twice).toMatchObject({ exit: 1, stdout: "" });
    expect(twice.stderr).toContain("conveyor deregister codex-w1");
    await world.ok("deregister codex-w1");
    expect(await world.ok(["register-worker", "--name", "by-thread", "--codex-session", first.codex_session_id])).toMatchObject({
      pid: first.pid,
      codex_session_id: first.codex_session_id,
    });
    process.kill(first.pid!, "SIGKILL");
    await until("its end", () => !writtenThreads(world.codexHome).has(first.codex_session_id));
    const refused = await world.run(["register-worker", "--name", "by-thread", "--codex-session", first.codex_session_id]);
    expect(refused.exit).toBe(1);
    expect(refused.stderr).toContain("no process is seen that writes it");
    const left = await world.run("register-worker --name thief --self", { env: { CODEX_THREAD_ID: first.codex_session_id } });
    expect(left.stderr).toContain("left from a session that has ended");
  });
});

describe("under a shared daemon", () => {
  const world = new SelfWorld([]);
  const threads: string[] = [];
  let daemon: number | null | undefined;
  beforeAll(async () => {
    for (const name of ["one", "two", "three"]) threads.push(await world.start(name, `${program} register-worker --name ${name} --self`));
    daemon = writtenThreads(world.codexHome).get(threads[0]!);
  }, 120_000);
  afterAll(() => world.close());

  test("each registers its own thread; the terminal of whoever started the daemon is nobody's", async () => {
    expect(new Set(threads).size).toBe(3);
    for (const [index, name] of ["one", "two", "three"].entries()) {
      expect(world.row(name)).toEqual({ codex_session_id: threads[index]!, pid: daemon!, tmux_session: null, tmux_pane_id: null });
    }
  });

  test("what is sent to one of them arrives there only, by its queue", async () => {
    expect(await world.ok(["session-nudge", "two", "for the second alone"])).toMatchObject({ transport: "codex_queue", proof: "seen" });
    expect(threads.map((thread) => world.userTexts(thread).filter((text) => text === "for the second alone").length)).toEqual([0, 1, 0]);
  });

  test("a terminal that somebody claims for it gets no keys: whose thread it shows cannot be seen", async () => {
    await world.ok(["register-worker", "--name", "two", "--codex-session", threads[1]!, "--tmux-session", "three"]);
    expect(await world.ok(["session-nudge", "two", "again for the second alone"])).toMatchObject({
      transport: "codex_queue",
      proof: "seen",
    });
    expect(threads.map((thread) => world.userTexts(thread).filter((text) => text === "again for the second alone").length)).toEqual([
      0, 1, 0,
    ]);
    const refused = await world.run("session-interrupt two");
    expect(refused.exit).toBe(1);
    expect(refused.stderr).toContain("no key was pressed");
  });

  test("doctor-self does not believe the TMUX that the daemon hands on", async () => {
    const { report, thread } = await world.report("doctor");
    expect(report).toMatchObject({
      current_session: null,
      tmux_believed: false,
      self: { ok: true, codex_session_id: thread, pid: daemon, tmux_session: null },
    });
  });

  test("neither the process that started the daemon nor its pane is taken for the threads of others", async () => {
    await world.ok("deregister one");
    const found = await foundSessions(world.context(), world.store());
    expect(found.find((each) => each.threadId === threads[0])).toMatchObject({ pid: daemon, tmuxSession: null, paneId: null });
    const [pid] = Bun.spawnSync(["tmux", "list-panes", "-t", "=one:", "-F", "#{pane_pid}"], { env: world.env })
      .stdout.toString()
      .split("\n");
    const refused = await world.run(["register-worker", "--name", "guess", "--pid", pid!]);
    expect(refused.exit).toBe(1);
    expect(refused.stderr).toContain("hold no Codex rollout open");
    for (const thread of threads) expect(refused.stderr).toContain(thread);
    expect(refused.stderr).toContain(`conveyor register-worker --name guess --pid ${pid} --codex-session `);
  });

  test("the only client of a folder is known by its process, until another runs there", async () => {
    const folder = join(world.project, "alone");
    mkdirSync(folder);
    const thread = await world.start("alone", "true", folder);
    const [pid] = Bun.spawnSync(["tmux", "list-panes", "-t", "=alone:", "-F", "#{pane_pid}"], { env: world.env })
      .stdout.toString()
      .split("\n");
    const register = ["register-worker", "--name", "alone", "--pid", pid!, "--tmux-session", "alone"];
    expect(await world.ok(register)).toMatchObject({ codex_session_id: thread, pid: Number(pid), tmux_session: "alone" });
    // Its server writes those of the other folder, too, and a client goes over to any of them.
    expect(await world.ok(["session-nudge", "alone", "to the one handed over"])).toMatchObject({ transport: "codex_queue", proof: "seen" });
    expect(world.userTexts(thread).filter((text) => text === "to the one handed over")).toHaveLength(1);
    await world.start("beside", "echo beside", folder);
    const refused = await world.run(register);
    expect(refused.exit).toBe(1);
    expect(refused.stderr).toContain(`--pid ${pid} --codex-session `);
  });
});
