import { afterEach, beforeEach, expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { BINARY, World } from "../harness.ts";

let w: World;
beforeEach(() => {
  w = new World();
});
afterEach(() => w.close());

test("nothing in the folder it is run in reaches into the program", async () => {
  const hostile = join(w.dir, "hostile");
  mkdirSync(hostile);
  const evil = 'require("node:fs").writeFileSync("pwned", "x"); console.log("evil");';
  await w.file("hostile/.env", "CONVEYOR_CLI_PROG=workerctl\nWORKERCTL_STATE_ROOT=/nowhere/at/all\nBUN_OPTIONS=--preload=./evil.js\n");
  await w.file("hostile/.env.local", "CONVEYOR_CLI_PROG=workerctl\n");
  await w.file("hostile/.env.production", "CONVEYOR_CLI_PROG=workerctl\n");
  await w.file("hostile/bunfig.toml", 'preload = ["./evil.js"]\n[run]\npreload = ["./evil.js"]\n[define]\nprocess = "evil"\n');
  await w.file("hostile/package.json", '{"type":"commonjs","imports":{"#x":"./evil.js"}}');
  await w.file("hostile/tsconfig.json", '{"compilerOptions":{"paths":{"*":["./evil.js"]}}}');
  await w.file("hostile/evil.js", evil);
  const help = w.binary(["tasks", "--help"], { cwd: hostile });
  expect(help.exit).toBe(0);
  expect(help.stdout).toStartWith("usage: conveyor tasks");
  expect(w.binary(["tasks", "--json"], { cwd: hostile })).toMatchObject({ exit: 0, stdout: "[]\n", stderr: "" });
  expect(await Bun.file(join(hostile, "pwned")).exists()).toBe(false);
});

test("a full disk behind stdout, a folder that is gone and a locked database are each one sentence", () => {
  expect(w.binary(["tasks", "--create", "t", "--goal", "g"]).exit).toBe(0);
  const said = (words: string) => {
    const done = Bun.spawnSync(["sh", "-c", words, "sh", BINARY], { env: w.env, cwd: w.work });
    return `${done.exitCode} ${done.stdout}${done.stderr}`;
  };
  expect(said('"$1" tasks > /dev/full')).toBe("1 conveyor: the system refused: no space left on device, write\n");
  expect(said('"$1" tasks --what 2> /dev/full')).toBe("2 ");
  expect(said('mkdir gone && cd gone && rmdir ../gone && "$1" tasks')).toMatch(
    /^1 conveyor: the working directory does not exist any more\nhint: [^\n]*\n$/,
  );
  const db = new Database(w.dbPath);
  db.run("begin immediate");
  expect(said('"$1" tasks --create u --goal g')).toMatch(
    /^1 conveyor: the database [^\n]* is locked by another program [^\n]*\nhint: try again [^\n]*\n$/,
  );
  db.close();
});

test("an endless standard input is refused, and so is one that is a folder", () => {
  const worked = w.binary(["tasks", "--create", "t", "--goal", "g"]);
  expect(worked.exit).toBe(0);
  const from = (words: string) => Bun.spawnSync(["sh", "-c", words, "sh", BINARY], { env: w.env, cwd: w.work }).stderr.toString();
  expect(from('yes | "$1" worker-ack t --from-stdin')).toContain("holds more than");
  expect(from('"$1" criteria-plan t --from-worker-response /dev/zero')).toContain("holds more than");
  expect(from('"$1" worker-ack t --from-stdin < .')).toContain("standard input cannot be read");
});

test("BUN_OPTIONS cannot load a file into the program", async () => {
  const evil = await w.file("evil.js", 'console.log("evil");');
  const done = w.binary(["tasks", "--json"], { env: { BUN_OPTIONS: `--preload=${evil}` } });
  expect(done.stdout).not.toContain("evil");
});

test("it goes by the word it is called with, through a link or a copy, and by CONVEYOR_CLI_PROG when that is one of its names", () => {
  const link = join(w.dir, "workerctl");
  symlinkSync(BINARY, link);
  const first = (binary: string, env = {}) => w.binary(["--help"], { binary, env }).stdout.split(" ").slice(0, 2).join(" ");
  expect(first(BINARY)).toBe("usage: conveyor");
  expect(first(link)).toBe("usage: workerctl");
  expect(first(join(BINARY, "..", "workerctl"))).toBe("usage: workerctl");
  expect(first(link, { CONVEYOR_CLI_PROG: "conveyor" })).toBe("usage: conveyor");
  expect(first(BINARY, { CONVEYOR_CLI_PROG: "rm" })).toBe("usage: conveyor");
});

test("a reader that goes away early is no error, and long output arrives whole", () => {
  for (let i = 0; i < 40; i++) expect(w.binary(["tasks", "--create", `task-${i}`, "--goal", "x".repeat(4000)]).exit).toBe(0);
  expect(w.binary(["tasks", "--json"]).json()).toHaveLength(40);
  const piped = Bun.spawnSync(["bash", "-c", `set -o pipefail; ${BINARY} tasks --json | head -n 1`], { env: w.env, cwd: w.work });
  expect(piped).toMatchObject({ exitCode: 0 });
  expect(piped.stdout.toString()).toBe("[\n");
  expect(piped.stderr.toString()).toBe("");
});

test("a refusal stays one when nobody hears its reason", () => {
  // `cat` ends before the program begins, so that its talk goes into a pipe without a reader.
  const exit = (words: string) =>
    Bun.spawnSync(
      [
        "bash",
        "-c",
        `coproc cat; exec 4>&"\${COPROC[1]}" 5<&"\${COPROC[0]}"; kill $COPROC_PID; wait $COPROC_PID 2>/dev/null; ${BINARY} ${words} 2>&4; echo $?`,
      ],
      { env: w.env, cwd: w.work },
    )
      .stdout.toString()
      .trim();
  expect(exit("audit ghost")).toBe("1");
  expect(exit("audit --ghost")).toBe("2");
});

test("the embedded skills are the repository's, with the run bit back", async () => {
  const home = join(w.dir, "installed");
  expect(w.binary(["install-skills", "--codex-home", home]).exit).toBe(0);
  const compare = Bun.spawnSync(["diff", "-r", join(home, "skills"), join(import.meta.dir, "..", "..", "skills")]);
  expect(compare.stdout.toString()).toBe("");
  expect(Bun.spawnSync([join(home, "skills", "codex-review", "scripts", "codex-review"), "--help"]).exitCode).toBe(0);
});
