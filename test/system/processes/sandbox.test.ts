import { afterEach, beforeEach, expect, test } from "bun:test";
import { join } from "node:path";
import { hiddenPaths, runSandboxed, seatbeltProfile } from "../../../src/system/processes/sandbox.ts";
import { boundTurn, pathOf, reviewWords } from "../../commands/tasks/reviewer.ts";
import { World } from "../../harness.ts";

let w: World;
beforeEach(() => {
  w = new World();
  w.realTime = true;
});
afterEach(() => w.close());

/** Tries everything that a reviewer must not get, and tells in its rationale what it got. */
const SPY = `
import { connect } from "node:net";
import { readFileSync, readdirSync, writeFileSync, statSync } from "node:fs";
const { files, folders, places, port, socket } = JSON.parse(process.argv[2]);
const got = [];
const attempt = (name, action) => { try { const what = action(); if (what) got.push(name + "=" + String(what).slice(0, 40)); } catch {} };
for (const file of files) { attempt("read " + file, () => readFileSync(file, "utf8")); }
for (const folder of folders) attempt("list " + folder, () => readdirSync(folder).join());
for (const place of places) attempt("wrote " + place, () => { writeFileSync(place, "x"); return statSync(place).size; });
attempt("processes", () => readdirSync("/proc").filter((pid) => /^[0-9]+$/.test(pid)).some((pid) => { try { return readFileSync("/proc/" + pid + "/cmdline", "utf8").includes("bun\\0test"); } catch { return false; } }));
for (const name of Object.keys(process.env)) if (!["PATH", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "PWD", "OLDPWD", "SHLVL", "_"].includes(name)) got.push("variable " + name);
const reach = (options) => new Promise((resolve) => { const s = connect(options); s.on("connect", () => resolve(true)); s.on("error", () => resolve(false)); });
if (await reach({ host: "127.0.0.1", port })) got.push("tcp");
if (await reach({ path: socket })) got.push("unix socket");
const context = JSON.parse(readFileSync(0, "utf8"));
writeFileSync("own.txt", "x");
if (context.task.name !== "t1") got.push("no context");
console.log(JSON.stringify({ agreement: "match", verdict: "proceed", rationale: got.length === 0 ? "nothing" : got.join("; ") }));
`;

/** Lets the spy review the turn, with this PATH, and gives the recorded review. */
async function spyOn(path: string | undefined) {
  const { rollouts } = await boundTurn(w);
  const secret = await w.file("codex/auth.json", "secret");
  const spy = await w.file("spy.mjs", SPY);
  const tcp = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const socket = join(w.dir, "listening.sock");
  const unix = Bun.listen({ unix: socket, socket: { data() {} } });
  const targets = {
    files: [w.dbPath, `${w.dbPath}-wal`, `${w.dbPath}-shm`, ...rollouts, secret, ...rollouts.map((file) => `/proc/1/root${file}`)],
    folders: [w.stateRoot, join(w.dir, "codex"), `/proc/${process.pid}/fd`],
    places: [join(w.dir, "written"), join(w.work, "written"), w.dbPath, rollouts[0]!],
    port: tcp.port,
    socket,
  };
  try {
    return await w.ok([...reviewWords("--timeout", "30"), process.execPath, spy, JSON.stringify(targets)], {
      env: { SECRET_TOKEN: "x", ...(path === undefined ? {} : { PATH: path }) },
    });
  } finally {
    tcp.stop(true);
    unix.stop(true);
  }
}

const platformEngine = process.platform === "darwin" ? "sandbox-exec" : "bubblewrap";

test("a reviewer that tries to read, write, connect or look around gets nothing", async () => {
  const review = await spyOn(undefined);
  expect(review.rationale).toBe("nothing");
  expect(review).toMatchObject({
    verdict: "proceed",
    subagent_run: { status: "succeeded", sandbox: { enabled: true, engine: platformEngine } },
  });
});

if (process.platform === "linux") {
  test("the same in a user namespace, where bubblewrap is not installed", async () => {
    const programs = ["unshare", "mount", "umount", "mkdir", "rmdir", "ln", "setpriv"];
    const allowed = Bun.spawnSync(["unshare", "--user", "--map-root-user", "--net", "true"]).exitCode === 0;
    const review = await spyOn(await pathOf(w, ...programs));
    expect(review.rationale).toMatch(allowed ? /^nothing$/ : /^the reviewer was not started/);
    expect(review.subagent_run.sandbox).toMatchObject(
      allowed ? { enabled: true, engine: "user-namespace" } : { enabled: false, engine: null },
    );
  });

  test("a namespace inside the sandbox does not uncover anything", async () => {
    await w.file("hidden/file", "secret");
    const work = join(w.dir, "work");
    const inner = `umount ${w.dir}/hidden; unshare -Urm sh -c 'umount ${w.dir}/hidden; mount --bind ${w.dir} ${work}; cat ${w.dir}/hidden/file ${work}/hidden/file'; echo end`;
    const bounds = {
      env: { PATH: process.env.PATH! },
      stdin: "",
      timeoutMs: 20_000,
      keepStdout: 1000,
      keepStderr: 1000,
      floodBytes: 1 << 20,
    };
    for (const path of [w.env.PATH!, await pathOf(w, "unshare", "mount", "umount", "mkdir", "rmdir", "ln")]) {
      const { result } = await runSandboxed({ PATH: path }, { work, hidden: [join(w.dir, "hidden")] }, ["/bin/sh", "-c", inner], bounds);
      expect(result?.stdout ?? "end\n").toBe("end\n");
    }
  });
}

test("paths below hidden ones and missing ones need no cover of their own", async () => {
  const file = await w.file("a/b/c", "");
  expect(hiddenPaths([file, join(w.dir, "none"), join(w.dir, "a"), join(w.dir, "a"), `${w.dir}/a/b/`])).toEqual([join(w.dir, "a")]);
});

test("a temporary folder inside of what is hidden is refused", async () => {
  const bounds = { env: {}, stdin: "", timeoutMs: 1000, keepStdout: 1, keepStderr: 1, floodBytes: 1 };
  expect(await runSandboxed(w.env, { work: w.work, hidden: [w.dir] }, ["true"], bounds)).toMatchObject({
    result: null,
    report: { enabled: false, setup_error: expect.stringContaining("TMPDIR") },
  });
});

test("the profile for macOS quotes what it names and hides last", () => {
  const lines = seatbeltProfile("/private/tmp/w", ['/Users/a "b"\\c']).split("\n");
  expect(lines[0]).toBe("(version 1)");
  expect(lines).toContain('(deny file* (subpath "/Users/a \\"b\\"\\\\c"))');
  expect(lines).toContain("(deny network*)");
});
