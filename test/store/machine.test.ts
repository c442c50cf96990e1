/** What the machine refuses: disks that are full or read-only, limits, permissions. It is said by name, and reading goes on where it can. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { addEvent } from "../../src/store/record/events.ts";
import { BINARY, FIXTURES, type Outcome, World } from "../harness.ts";

let w: World;
beforeEach(() => {
  w = new World();
});
afterEach(() => {
  chmodSync(w.dir, 0o700);
  if (existsSync(w.stateRoot)) chmodSync(w.stateRoot, 0o700);
  w.close();
});

const asRoot = process.getuid?.() === 0;
/** Mounts of a process's own need Linux, and root or the permission of the kernel. */
const mounts = Bun.spawnSync(["unshare", "-m", "true"], { stdout: "ignore", stderr: "ignore" });
const canMount = asRoot && mounts.success;

/** Runs the program by a shell script that ends with `"$@"`. */
const shell = (script: string, argv: readonly string[]): Outcome => w.binary(["-c", script, "sh", BINARY, ...argv], { binary: "sh" });
/** The same where what it mounts is seen by nobody else. */
const inMounts = (script: string, argv: readonly string[]): Outcome =>
  w.binary(["-m", "sh", "-c", script, "sh", BINARY, ...argv], { binary: "unshare" });

/** With the state root on a disk that cannot be written. */
function readOnly(...argv: string[]): Outcome {
  if (canMount)
    return inMounts(`mount --bind "${w.stateRoot}" "${w.stateRoot}" && mount -o remount,bind,ro "${w.stateRoot}" && exec "$@"`, argv);
  for (const entry of readdirSync(w.stateRoot, { withFileTypes: true }))
    if (entry.isFile()) chmodSync(join(w.stateRoot, entry.name), 0o400);
  chmodSync(w.stateRoot, 0o500);
  return w.binary(argv);
}

const why = canMount ? "the disk is read-only" : "permission denied";

describe.skipIf(asRoot && !canMount)("where nothing can be written", () => {
  const refused = (done: Outcome, ...said: string[]) => {
    expect([done.exit, done.stdout]).toEqual([1, ""]);
    for (const each of said) expect(done.stderr).toContain(each);
    expect(done.stderr.trim().split("\n")).toEqual([expect.stringMatching(/^conveyor: /), expect.stringMatching(/^hint: /)]);
  };

  test("every look works, and every change is refused with the reason", async () => {
    await w.ok("create-disposable-binding t1 --goal g");
    for (const line of [
      "tasks",
      "sessions --json",
      "audit t1 --json",
      "replay t1",
      "telemetry snapshot",
      "discover t1",
      "dispatch status",
      "db-doctor",
      "deliveries",
      "worker-inbox t1",
    ])
      expect([line, readOnly(...line.split(" ")).exit]).toEqual([line, 0]);
    for (const line of ["tasks --create t2 --goal g", "enqueue-nudge-worker t1 --message m", "dispatch --watch", "worker-inbox t1 --wait"])
      refused(readOnly(...line.split(" ")), "cannot be written", why);
    const output = join(w.dir, "out");
    expect(readOnly("export-task", "t1", "--output", output).exit).toBe(0);
    expect(readdirSync(output)).toContain("manifest.json");
  });

  test("what is only in the log that a killed process left is read, too", async () => {
    await w.ok("tasks --create old --goal g");
    const script = `
      const { makeContext } = require(${JSON.stringify(join(import.meta.dir, "../../src/context.ts"))});
      const { createTask } = require(${JSON.stringify(join(import.meta.dir, "../../src/store/tasks/tasks.ts"))});
      const cx = makeContext({ env: process.env, cwd: "/", argv0: "conveyor", tty: {}, clock: Date.now, uuid: () => crypto.randomUUID() });
      createTask(cx.store(), { name: "new", goal: "g" });
      process.kill(process.pid, "SIGKILL");`;
    Bun.spawnSync([process.execPath, "-e", script], { env: w.env });
    expect(existsSync(`${w.dbPath}-wal`)).toBe(true);
    const done = readOnly("tasks");
    expect(done.stdout.split("\n").map((line) => line.split("\t")[0])).toEqual(["old", "new", ""]);
    if (!canMount) chmodSync(w.stateRoot, 0o700);
    rmSync(`${w.dbPath}-shm`);
    refused(readOnly("tasks"), "write-ahead log");
  });

  test("an old file is told that it cannot be brought up to date, and a missing one that it cannot be made", () => {
    mkdirSync(w.stateRoot);
    copyFileSync(join(FIXTURES, "databases", "v7.db"), w.dbPath);
    refused(readOnly("tasks"), "must be brought up to date", why);
    if (!canMount) chmodSync(w.stateRoot, 0o700);
    rmSync(w.dbPath);
    refused(readOnly("tasks"), "cannot be opened", why);
    expect(readdirSync(w.stateRoot)).toEqual([]);
  });
});

describe("where nothing may grow", () => {
  /** With files of at most so many blocks of 512 bytes. */
  const limited = (blocks: number, ...argv: string[]): Outcome => shell(`ulimit -f ${blocks}; exec "$@"`, argv);

  test("the limit is named", async () => {
    await w.ok("tasks --create t1 --goal g");
    for (const argv of [["tasks", "--create", "t2", "--goal", "g"], ["tasks"], ["db-doctor"]]) {
      const done = limited(8, ...argv);
      expect([done.exit, done.stderr]).toEqual([1, expect.stringContaining("cannot grow: a file may not grow larger here (ulimit -f)")]);
    }
    expect(limited(8, "tasks", "--path", join(w.dir, "fresh.db")).stderr).toContain("cannot grow");
    expect((await w.ok("tasks --json")).map(({ name }: { name: string }) => name)).toEqual(["t1"]);
  });

  test("doctor reports a database that cannot be opened", async () => {
    await w.ok("tasks --create t1 --goal g");
    const check = (done: Outcome) => done.json().checks.find(({ name }: { name: string }) => name === "database");
    expect(check(await w.run("doctor"))).toEqual({ name: "database", ok: true, path: w.dbPath });
    expect(check(limited(8, "doctor"))).toMatchObject({
      ok: false,
      error: expect.stringContaining("cannot grow"),
      hint: expect.any(String),
    });
    writeFileSync(w.dbPath, "no database");
    expect(check(await w.run("doctor"))).toMatchObject({ ok: false, error: expect.stringContaining("is not an SQLite database") });
    rmSync(w.dbPath);
    mkdirSync(w.dbPath);
    expect(check(await w.run("doctor"))).toMatchObject({ ok: false, error: expect.stringContaining("it is a folder") });
  });

  test("doctor reports a state root that cannot be read", async () => {
    const loop = join(w.dir, "loop");
    symlinkSync("loop", loop);
    const done = await w.run("doctor", { env: { WORKERCTL_STATE_ROOT: loop } });
    expect([done.exit, done.stderr]).toEqual([1, ""]);
    expect(done.json().checks.find(({ name }: { name: string }) => name === "state_root_readable")).toEqual({
      name: "state_root_readable",
      ok: false,
      path: loop,
      error: expect.stringMatching(/loop cannot be read: .*symbolic link/),
    });
  });

  test("an export that does not fit leaves no folder behind", async () => {
    const { id } = await w.ok("tasks --create t1 --goal g");
    addEvent(w.store(), { type: "note", taskId: id, payload: { text: "x".repeat(2_000_000) } });
    for (const output of [join(w.dir, "a", "b", "out"), join(w.stateRoot, "artifacts", "x")]) {
      const done = limited(2048, "export-task", "t1", "--zip", "--output", output);
      expect([done.exit, done.stderr]).toEqual([1, expect.stringContaining("could not be written")]);
    }
    expect(existsSync(join(w.dir, "a"))).toBe(false);
    expect(existsSync(join(w.stateRoot, "artifacts"))).toBe(false);
  });

  test.skipIf(!canMount)("a full disk is called full, whatever it stops", async () => {
    mkdirSync(w.stateRoot);
    for (const kilobytes of [20, 100, 200, 500, 900, 1000]) {
      const done = inMounts(
        `mount -t tmpfs -o size=${kilobytes}k tmpfs "${w.stateRoot}" && { "$@"; code=$?; dd if=/dev/zero of="${w.stateRoot}/fill" bs=1k 2>/dev/null; "$@" || exit $?; exit $code; }`,
        ["tasks", "--create", "t", "--goal", "g".repeat(5000)],
      );
      expect([kilobytes, done.exit, done.stderr]).toEqual([kilobytes, 1, expect.stringContaining("cannot grow: the disk is full")]);
    }
    const old = inMounts(
      `mount -t tmpfs -o size=700k tmpfs "${w.stateRoot}" && cp "${join(FIXTURES, "databases", "v7.db")}" "${w.dbPath}" && "$@"; code=$?; ls -A "${w.stateRoot}"; exit $code`,
      ["tasks"],
    );
    expect([old.exit, old.stderr]).toEqual([1, expect.stringContaining("cannot grow: the disk is full")]);
    expect(old.stdout).toBe("workerctl.db\n");
  });
});
