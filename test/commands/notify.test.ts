/** `notify`: rules stand in a person's own folder alone, name a program by its absolute path, and are carried out without our variables. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { World } from "../harness.ts";
import { boundPair } from "../rollout.ts";

let w: World;
beforeEach(() => {
  w = new World();
  w.realTime = true;
});
afterEach(() => w.close());

const folder = () => join(w.env.HOME!, ".config", "conveyor", "notify");
const ruleFiles = () => (existsSync(folder()) ? readdirSync(folder()).map((name) => join(folder(), name)) : []);
/** A program that writes down what it was given. */
async function taker(more = ""): Promise<string> {
  const path = await w.file(
    "bin/take",
    `#!/bin/sh\ncat > ${w.dir}/input\nprintf '%s\\n' "$@" > ${w.dir}/words\nenv > ${w.dir}/env\npwd > ${w.dir}/cwd\n${more}\n`,
  );
  chmodSync(path, 0o755);
  return path;
}
const written = (name: string): string => readFileSync(join(w.dir, name), "utf8");

describe("rules", () => {
  test("are added, listed and removed; their files are their owner's alone, and no records are made", async () => {
    const program = await taker();
    const bell = await w.ok("notify add --bell --json");
    const told = await w.ok(
      ["notify", "add", "--on", "question, limit", "--after", "60", "--repeat", "900", "--json", "--", "take", "--quiet"],
      {
        env: { PATH: `${w.dir}/bin:${w.env.PATH}` },
      },
    );
    expect(bell).toMatchObject({ on: null, after_seconds: 0, repeat_seconds: null, how: { way: "bell" } });
    expect(told).toMatchObject({
      on: ["question", "limit"],
      after_seconds: 60,
      repeat_seconds: 900,
      how: { way: "program", argv: [program, "--quiet"] },
    });
    expect(ruleFiles().sort()).toEqual([bell.file, told.file].sort());
    for (const path of [...ruleFiles(), folder()]) expect(statSync(path).mode & 0o077).toBe(0);
    expect((await w.ok("notify list --json")).rules).toMatchObject([
      { id: bell.id, sent: 0, failed: 0, unknown: 0 },
      { id: told.id, sent: 0 },
    ]);
    expect((await w.run("notify list")).stdout).toContain(
      `${told.id}: ${program} --quiet; for question, limit; after 60 s; again every 900 s; 0 sent`,
    );
    await w.ok(`notify remove ${bell.id} --json`);
    expect(ruleFiles()).toEqual([told.file]);
    expect((await w.run(`notify remove ${bell.id}`)).stderr).toBe(`conveyor: no rule is called "${bell.id}"\nhint: conveyor notify list\n`);
    expect(existsSync(w.dbPath)).toBe(false);
  });

  test("need one way, known kinds, and a program that is there", async () => {
    for (const [words, exit, said] of [
      ["notify add", 2, "one of --bell, --desktop and -- PROGRAM"],
      ["notify add --bell -- true", 2, "one of --bell"],
      ["notify add --bell --desktop", 2, "exclude each other"],
      ["notify add --on nonsense --bell", 2, 'no kind "nonsense"; it takes question, '],
      ["notify add --on limit,questin --bell", 2, 'no kind "questin". Did you mean question?'],
      ["notify add --bell --repeat 0", 2, "--repeat"],
      ["notify add -- no-such-program", 1, "no-such-program is not on PATH"],
      ["notify add -- ./nowhere", 1, "is no program that can be run"],
    ] as const) {
      const done = await w.run(words);
      expect([words, done.exit, done.stdout]).toEqual([words, exit, ""]);
      expect(done.stderr).toContain(said);
    }
    expect(ruleFiles()).toEqual([]);
  });

  test("stand below XDG_CONFIG_HOME where that is an absolute path, and never below where the command is run", async () => {
    const env = { XDG_CONFIG_HOME: join(w.dir, "settings") };
    expect((await w.ok("notify add --bell --json", { env })).file).toStartWith(`${w.dir}/settings/conveyor/notify/`);
    const relative = { env: { XDG_CONFIG_HOME: "settings" }, cwd: w.dir };
    expect((await w.ok("notify list --json", relative)).rules).toEqual([]);
    expect((await w.ok("notify add --bell --json", relative)).file).toStartWith(folder());
  });

  test("are made and taken away by a person, and by no agent", async () => {
    const { id } = await w.ok("notify add --bell --json");
    const before = ruleFiles();
    const inside = { env: { CODEX_THREAD_ID: "01a22b85-e53e-7640-81f3-775592468099" } };
    for (const [command, said] of [
      ["notify add --bell", "only a person makes a rule of notify"],
      [`notify remove ${id}`, `only a person takes ${id} away`],
    ] as const) {
      const done = await w.run(command, inside);
      expect([command, done.exit, done.stdout, done.stderr]).toEqual([command, 1, "", expect.stringContaining(said)]);
    }
    expect(ruleFiles()).toEqual(before);
    expect((await w.ok("notify list --json", inside)).rules).toHaveLength(1);
    // One that is on record is known by its process, too.
    await boundPair(w);
    expect(await w.run("notify add --bell")).toMatchObject({ exit: 1, stdout: "" });
    // A process that began later has only its pid.
    w.store().db.run("update sessions set registered_at = '2026-01-01T00:00:00.000Z', last_heartbeat_at = null");
    await w.ok("notify add --bell --json");
  });

  test("that others may write, or that are another's, are refused in one sentence", async () => {
    const { id, file } = await w.ok("notify add --bell --json");
    for (const path of [file, folder(), join(folder(), "..")]) {
      const mode = statSync(path).mode & 0o777;
      chmodSync(path, mode | 0o020);
      for (const command of ["notify list", `notify test ${id}`, `notify remove ${id}`, "notify add --bell"]) {
        if (path === file && command === "notify add --bell") continue;
        const done = await w.run(command);
        expect([command, done.exit, done.stdout]).toEqual([command, 1, ""]);
        expect(done.stderr).toBe(
          `conveyor: no rule of notify is used: ${path} may be written by others\nhint: look at what stands there, then: chmod go-w ${path}\n`,
        );
      }
      chmodSync(path, mode);
    }
    const odd = join(folder(), "notify-odd.json");
    for (const make of [() => symlinkSync("/nowhere", odd), () => mkdirSync(odd), () => Bun.spawnSync(["mkfifo", odd])]) {
      make();
      const done = await w.run("notify list");
      expect([done.exit, done.stderr]).toEqual([
        1,
        `conveyor: ${odd} holds no rule of notify\nhint: take it away and add the rule again: rm -r ${odd}\n`,
      ]);
      rmSync(odd, { recursive: true });
    }
    if (process.getuid?.() !== 0) return;
    chownSync(file, 12345, 12345);
    expect((await w.run("notify list")).stderr).toContain(`${file} belongs to another user`);
    chownSync(file, 0, 0);
    writeFileSync(file, '{"id":"notify-x"}');
    expect((await w.run("notify list")).stderr).toContain(`${file} holds no rule of notify`);
  });

  test("of a stranger that come with a cloned folder are none", async () => {
    const program = await taker();
    const mine = await w.ok(["notify", "add", "--json", "--", program]);
    const rule = readFileSync(mine.file, "utf8");
    await w.ok(`notify remove ${mine.id} --json`);
    const clone = join(w.dir, "clone");
    for (const place of [".config/conveyor/notify", "conveyor/notify", ".codex-workers/notify", ".codex-workers/conveyor/notify"]) {
      mkdirSync(join(clone, place), { recursive: true });
      writeFileSync(join(clone, place, `${mine.id}.json`), rule);
    }
    const env = { WORKERCTL_STATE_ROOT: undefined, XDG_CONFIG_HOME: "." };
    expect((await w.ok("notify list --json", { cwd: clone, env })).rules).toEqual([]);
    expect((await w.ok("notify test --json", { cwd: clone, env })).results).toEqual([]);
    expect(existsSync(join(w.dir, "input"))).toBe(false);
  });
});

describe("notify test", () => {
  test("gives a program the thing on its standard input, no text in its words, and nothing of ours in its environment", async () => {
    const program = await taker();
    const { id } = await w.ok(["notify", "add", "--json", "--", program, "--quiet"]);
    const env = { CONVEYOR_AGENT: "claude", CODEX_THREAD_ID: "x", CLAUDECODE: "1", TMUX: "/tmp/x,1,0", OTHER: "stays" };
    expect((await w.ok("notify test --json", { env })).results).toMatchObject([{ id, error: null }]);
    const input = JSON.parse(written("input"));
    expect(Object.keys(input)).toEqual(["actions", "host", "id", "kind", "session", "since", "task", "text", "weight"]);
    expect(input).toMatchObject({ kind: "question", weight: "now", text: "This is only a test of your notices." });
    expect(written("words")).toBe("--quiet\n");
    expect(written("cwd")).toBe(`${w.env.HOME}\n`);
    const names = written("env")
      .split("\n")
      .map((line) => line.split("=")[0]!);
    expect(names.filter((name) => /^(CONVEYOR|WORKERCTL|CODEX_THREAD|CLAUDECODE|TMUX$)/.test(name))).toEqual([]);
    expect(names).toContain("OTHER");
  });

  test("tells why one failed, with exit status 1, and the others are told all the same", async () => {
    await w.ok(["notify", "add", "--json", "--", await taker("echo no route >&2; exit 3")]);
    await w.ok("notify add --desktop --json");
    const done = await w.run("notify test", { env: { PATH: "/usr/bin:/bin" } });
    expect(done.exit).toBe(1);
    expect(done.stdout).toContain("failed: no route\n");
    expect(done.stdout).toMatch(/the desktop shows it: failed: /);
    expect(written("input")).toContain("only a test");
  });

  test("shows it by the desktop's own program, whose marks the text cannot make", async () => {
    const path = await w.file("bin/notify-send", `#!/bin/sh\nprintf '%s\\n' "$@" > ${w.dir}/shown\n`);
    chmodSync(path, 0o755);
    await w.ok("notify add --desktop --json");
    if (process.platform === "darwin") return;
    await w.ok("notify test --json", { env: { PATH: `${w.dir}/bin:${w.env.PATH}` } });
    expect(written("shown")).toBe("--app-name=conveyor\n--\nquestion\nThis is only a test of your notices.\n");
  });
});
