import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root, targets } from "../build.ts";
import { stageTarget, stageWrapper, targetOf } from "./stage.ts";
import { WRAPPER } from "./record.ts";

const built = join(root, "dist", "conveyor");
const target = targetOf(built);
const base = mkdtempSync(join(tmpdir(), "conveyor-smoke-"));
const prefix = join(base, "prefix");
const project = join(base, "project");
const node = Bun.which("node")!;
const version: string = (await Bun.file(join(root, "package.json")).json()).version;

interface Done {
  exit: number | null;
  stdout: string;
  stderr: string;
}

function run(words: string[], options: { cwd?: string; env?: Record<string, string> } = {}): Done {
  const done = Bun.spawnSync(words, {
    cwd: options.cwd ?? base,
    env: { ...env, ...options.env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  return { exit: done.exitCode, stdout: done.stdout.toString(), stderr: done.stderr.toString() };
}
function must(words: string[], options: { cwd?: string; env?: Record<string, string> } = {}): string {
  const done = run(words, options);
  if (done.exit !== 0) throw new Error(`${words.join(" ")} ended with ${done.exit}: ${done.stderr}`);
  return done.stdout;
}

/** A person's environment: a home of their own, the installed commands first on PATH, npm that reaches nothing. */
const env: Record<string, string> = {
  PATH: `${join(prefix, "bin")}:${join(node, "..")}:/usr/bin:/bin`,
  HOME: join(base, "home"),
  npm_config_offline: "true",
  npm_config_cache: join(base, "npm-cache"),
  npm_config_update_notifier: "false",
  NO_COLOR: "1",
};
const tarballs: string[] = [];

beforeAll(async () => {
  for (const folder of ["home", "project", "tarballs"]) mkdirSync(join(base, folder));
  await stageWrapper(join(base, "staged", WRAPPER));
  stageTarget(join(base, "staged", target.name), target, built);
  for (const name of [WRAPPER, target.name]) {
    tarballs.push(
      join(
        base,
        "tarballs",
        must(["npm", "pack", "--silent", "--pack-destination", join(base, "tarballs")], { cwd: join(base, "staged", name) }).trim(),
      ),
    );
  }
  must(["npm", "install", "--global", "--prefix", prefix, ...tarballs]);
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

describe("the packed packages", () => {
  test("hold what they need and nothing else", () => {
    const files = (tarball: string) =>
      must(["tar", "-tzf", tarball])
        .trim()
        .split("\n")
        .map((name) => name.replace(/^package\//, ""))
        .sort();
    expect(files(tarballs[0]!)).toEqual(
      [
        "LICENSE",
        "README.md",
        "bin/conveyor.mjs",
        "bin/launch.mjs",
        "bin/workerctl.mjs",
        "binary.mjs",
        "commands.json",
        "conveyor.1",
        "index.d.ts",
        "index.mjs",
        "package.json",
      ].sort(),
    );
    expect(files(tarballs[1]!)).toEqual(["LICENSE", "README.md", "bin/conveyor", "package.json"]);
  });

  test("run nothing at install, depend on the platforms' packages only, and cannot be published by accident", async () => {
    const manifest = await Bun.file(join(base, "staged", WRAPPER, "package.json")).json();
    expect(manifest.scripts).toBeUndefined();
    expect(manifest.dependencies).toBeUndefined();
    expect(Object.keys(manifest.optionalDependencies)).toEqual(targets.map(({ name }) => `@agent-conveyor/${name}`));
    const requests: string[] = [];
    const registry = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: (request) => (requests.push(request.method), new Response("{}", { status: 404 })),
    });
    try {
      for (const what of [tarballs[0]!, tarballs[1]!, join(base, "staged", WRAPPER)]) {
        const npm = Bun.spawn(["npm", "publish", what, `--registry=${registry.url.href}`, `--//${registry.url.host}/:_authToken=token`], {
          cwd: base,
          env: { ...env, npm_config_offline: "false" },
          stdout: "ignore",
          stderr: "pipe",
        });
        expect(await new Response(npm.stderr).text()).toContain("EPRIVATE");
        expect(await npm.exited).not.toBe(0);
      }
      expect(requests).not.toContain("PUT");
    } finally {
      await registry.stop(true);
    }
  });
});

describe("installed with npm", () => {
  test.each(["conveyor", "workerctl"])("%s is on PATH and goes by that name", (name) => {
    expect(run([name, "--help"]).stdout.split("\n")[0]).toStartWith(`usage: ${name} `);
    expect(run([name, "tasks", "--help"]).stdout).toStartWith(`usage: ${name} tasks`);
    expect(run([name, "--version"]).stdout).toBe(`${version}\n`);
    expect(existsSync(join(prefix, "share", "man", "man1", "conveyor.1"))).toBe(true);
  });

  test("exit codes and streams come through", () => {
    expect(run(["conveyor", "tasks", "--json"], { cwd: project })).toMatchObject({ exit: 0, stdout: "[]\n", stderr: "" });
    const refused = run(["conveyor", "bind", "--task", "none", "--worker", "w", "--manager", "m"], { cwd: project });
    expect(refused).toMatchObject({ exit: 1, stdout: "" });
    expect(refused.stderr).toStartWith("conveyor: ");
    expect(run(["workerctl", "tasks", "--nope"], { cwd: project })).toMatchObject({ exit: 2, stdout: "" });
    expect(run(["conveyor", "tasks", "--create", "-odd name", "--goal=--x"], { cwd: project }).exit).toBe(0);
  });

  test("neither BUN_BE_BUN nor BUN_OPTIONS reach the binary", () => {
    writeFileSync(join(base, "evil.js"), "console.log('evil')");
    const done = run(["conveyor", "--version"], { env: { BUN_BE_BUN: "1", BUN_OPTIONS: `--preload=${join(base, "evil.js")}` } });
    expect(done).toMatchObject({ exit: 0, stdout: `${version}\n` });
  });

  test("install-skills installs both, with the helper's run bit", () => {
    const skills = JSON.parse(run(["conveyor", "install-skills", "--json"]).stdout);
    expect(skills.installed).toEqual(["manage-codex-workers", "codex-review"]);
    const helper = join(base, "home", ".codex", "skills", "codex-review", "scripts", "codex-review");
    expect(statSync(helper).mode & 0o111).toBe(0o111);
    expect(run([helper, "--help"]).stdout).toStartWith("usage: codex-review");
  });

  test("the client works in Node and Bun from a project", () => {
    writeFileSync(join(project, "package.json"), '{"private":true}');
    must(["npm", "install", ...tarballs], { cwd: project });
    const script = `
      import { run, ConveyorError } from "agent-conveyor";
      const made = await run("tasks", { create: "t1", goal: "-- odd goal" });
      const seen = await run("tasks", { active: true });
      const refused = await run("bind", { task: "none", worker: "w", manager: "m" }).catch((error) => error);
      console.log(JSON.stringify([made.name, seen.map((task) => task.goal), refused instanceof ConveyorError, refused.exitCode, refused.message.includes("none")]));
    `;
    writeFileSync(join(project, "client.mjs"), script);
    for (const runtime of [node, process.execPath]) {
      rmSync(join(project, ".codex-workers"), { recursive: true, force: true });
      expect(JSON.parse(must([runtime, "client.mjs"], { cwd: project }))).toEqual(["t1", ["-- odd goal"], true, 1, true]);
    }
  });
});

describe("the bare binary, without node", () => {
  const jail = join(base, "jail");
  /** Runs in a namespace where only the binary, the C library and one read-only working folder are. */
  const inside = (words: string[], extra: string[] = []): Done =>
    run([
      "bwrap",
      "--unshare-all",
      "--die-with-parent",
      "--clearenv",
      "--setenv",
      "PATH",
      "/bin",
      "--setenv",
      "HOME",
      "/home",
      "--ro-bind",
      jail,
      "/",
      "--proc",
      "/proc",
      "--dev",
      "/dev",
      ...extra,
      "--chdir",
      "/work",
      ...words,
    ]);

  beforeAll(() => {
    for (const folder of ["bin", "home", "work", "proc", "dev", "tmp", "state"]) mkdirSync(join(jail, folder), { recursive: true });
    cpSync(built, join(jail, "bin", "conveyor"));
    symlinkSync("conveyor", join(jail, "bin", "workerctl"));
    // The C library's files at the very places where the loader looks for them.
    for (const [, library] of must(["ldd", built]).matchAll(/(\/\S+) \(0x/g)) {
      mkdirSync(join(jail, library!, ".."), { recursive: true });
      copyFileSync(library!, join(jail, library!));
    }
  });

  test("starts, helps and refuses", () => {
    expect(existsSync(join(jail, "bin", "node"))).toBe(false);
    expect(inside(["conveyor", "--version"])).toMatchObject({ exit: 0, stdout: `${version}\n`, stderr: "" });
    expect(inside(["workerctl", "--help"]).stdout).toStartWith("usage: workerctl ");
    expect(inside(["conveyor", "no-such"]).exit).toBe(2);
  });

  test("a read-only folder is one sentence; a state root elsewhere, as on a CI runner, works", () => {
    const refused = inside(["conveyor", "tasks", "--json"]);
    expect(refused).toMatchObject({ exit: 1, stdout: "" });
    expect(refused.stderr).toStartWith("conveyor: ");
    const state = ["--bind", join(jail, "state"), "/state", "--setenv", "WORKERCTL_STATE_ROOT", "/state"];
    expect(inside(["conveyor", "tasks", "--create", "t", "--goal", "g"], state).exit).toBe(0);
    expect(JSON.parse(inside(["conveyor", "tasks", "--json"], state).stdout)).toMatchObject([{ name: "t", goal: "g" }]);
    expect(
      JSON.parse(inside(["conveyor", "install-skills", "--json", "--codex-home", "/state/codex"], state).stdout).installed,
    ).toHaveLength(2);
    expect(readdirSync(join(jail, "home"))).toEqual([]);
    expect(readdirSync(join(jail, "work"))).toEqual([]);
  });
});
