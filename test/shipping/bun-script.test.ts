import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const base = mkdtempSync(join(tmpdir(), "conveyor-bun-script-"));
const node = Bun.which("node")!;
const arch = process.arch === "arm64" ? "aarch64" : process.arch;
const platform = `bun-${process.platform}-${arch}`;
const script = join(base, "scripts", "bun.mjs");
const run = (words: string[], env: Record<string, string> = {}) => {
  const done = Bun.spawnSync([node, script, ...words], { env: { PATH: "/usr/bin:/bin", ...env } });
  return { exit: done.exitCode, stdout: done.stdout.toString(), stderr: done.stderr.toString() };
};

beforeAll(() => {
  mkdirSync(join(base, "scripts"));
  cpSync(join(import.meta.dir, "..", "..", "scripts", "bun.mjs"), script);
  // As npm leaves it when the install script of `bun` did not run: a placeholder that is a program but no Bun.
  mkdirSync(join(base, "node_modules", "bun", "bin"), { recursive: true });
  writeFileSync(join(base, "node_modules", "bun", "bin", "bun.exe"), 'echo "Error: postinstall was not run." >&2\nexit 1\n');
  chmodSync(join(base, "node_modules", "bun", "bin", "bun.exe"), 0o755);
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

test("without any Bun: one sentence", () => {
  const done = run(["--version"]);
  expect(done).toMatchObject({ exit: 1, stdout: "" });
  expect(done.stderr).toContain("npm install");
  expect(done.stderr.trim().split("\n")).toHaveLength(1);
});

test("takes the platform package that runs here, and passes words, exit code and death by signal", () => {
  for (const [name, bun] of [
    [`${platform}-musl`, "/nowhere"],
    [platform, process.execPath],
  ] as const) {
    mkdirSync(join(base, "node_modules", "@oven", name, "bin"), { recursive: true });
    symlinkSync(bun, join(base, "node_modules", "@oven", name, "bin", "bun"));
  }
  expect(run(["--version"]).stdout).toBe(`${Bun.version}\n`);
  expect(run(["-e", "console.log(process.argv.slice(1).join()); process.exit(7)", "a b", "--c"])).toMatchObject({
    exit: 7,
    stdout: "a b,--c\n",
  });
  expect(run(["-e", "process.kill(process.pid, 'SIGKILL')"]).exit).toBe(137);
});

test("BUN_BINARY is taken instead, and no other when it does not run", () => {
  expect(run(["--version"], { BUN_BINARY: process.execPath }).stdout).toBe(`${Bun.version}\n`);
  expect(run(["--version"], { BUN_BINARY: "/nowhere" })).toMatchObject({ exit: 1, stdout: "" });
});
