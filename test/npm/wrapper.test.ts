import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { targets } from "../../build.ts";
import { stageWrapper } from "../../npm/stage.ts";
import { until } from "../harness.ts";

const base = mkdtempSync(join(tmpdir(), "conveyor-wrapper-"));
const modules = join(base, "node_modules");
const wrapper = join(modules, "agent-conveyor");
const fake = join(base, "fake");
const node = Bun.which("node")!;
const mine = targets.find((t) => t.os === process.platform && t.cpu === process.arch && t.libc !== "musl")!.name;

beforeAll(() => stageWrapper(wrapper));
afterAll(() => rmSync(base, { recursive: true, force: true }));

function program(path: string, script: string): string {
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}
const start = (name: string, words: string[], env: Record<string, string>, stdin = "") =>
  Bun.spawn([node, join(wrapper, "bin", `${name}.mjs`), ...words], {
    env: { PATH: process.env.PATH!, ...env },
    stdin: new TextEncoder().encode(stdin),
    stdout: "pipe",
    stderr: "pipe",
  });

async function finish(child: ReturnType<typeof start>) {
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  await child.exited;
  return { exit: child.exitCode, signal: child.signalCode, stdout, stderr };
}

test("words, streams and exit code are the binary's", async () => {
  program(fake, `printf '[%s]' "$@"; cat; echo oops >&2; exit 7`);
  expect(await finish(start("conveyor", ["a b", "", "--x=$HOME"], { CONVEYOR_BINARY: fake }, "in"))).toEqual({
    exit: 7,
    signal: null,
    stdout: "[a b][][--x=$HOME]in",
    stderr: "oops\n",
  });
});

test("the binary is called by the name that was typed", async () => {
  // A shell started as argv0 names itself so in its own errors.
  const done = await finish(start("workerctl", ["-c", "echo $0"], { CONVEYOR_BINARY: "/bin/sh" }));
  expect(done.stdout).toBe("workerctl\n");
});

test("a death by signal is this program's death too", async () => {
  program(fake, "kill -KILL $$");
  expect(await finish(start("conveyor", [], { CONVEYOR_BINARY: fake }))).toMatchObject({ exit: null, signal: "SIGKILL" });
});

test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("%s sent to the wrapper reaches the binary, which decides", async (signal) => {
  const ready = join(base, "ready");
  program(fake, `trap 'exit 9' ${signal.slice(3)}; : > ${ready}; while :; do sleep 0.05; done`);
  const child = start("conveyor", [], { CONVEYOR_BINARY: fake });
  await until("the fake binary to run", () => Bun.file(ready).exists());
  child.kill(signal);
  expect((await finish(child)).exit).toBe(9);
  rmSync(ready);
});

test("a missing package is told with what is there, what is needed, why, and what to do", async () => {
  const other = targets.find(({ name }) => name !== mine)!.name;
  mkdirSync(join(modules, "@agent-conveyor", other), { recursive: true });
  writeFileSync(join(modules, "@agent-conveyor", other, "package.json"), "{}");
  const done = await finish(start("conveyor", ["--version"], {}));
  expect(done).toMatchObject({ exit: 1, stdout: "" });
  for (const part of [
    `needs the package @agent-conveyor/${mine}`,
    `installed is @agent-conveyor/${other}`,
    "--omit=optional",
    "CONVEYOR_BINARY",
  ])
    expect(done.stderr).toContain(part);

  mkdirSync(join(modules, "@agent-conveyor", mine), { recursive: true });
  writeFileSync(join(modules, "@agent-conveyor", mine, "package.json"), "{}");
  program(join(modules, "@agent-conveyor", mine, "bin", "conveyor"), "echo found");
  expect((await finish(start("conveyor", [], {}))).stdout).toBe("found\n");
});

test("a binary that cannot be started is one sentence", async () => {
  const done = await finish(start("conveyor", [], { CONVEYOR_BINARY: join(base, "nowhere") }));
  expect(done.exit).toBe(1);
  expect(done.stderr).toStartWith(`conveyor: ${join(base, "nowhere")} could not be started`);
});

test("the client's types hold a caller to the declarations", async () => {
  writeFileSync(
    join(base, "good.ts"),
    `import { ConveyorError, run, type Json } from "agent-conveyor";
     const a: Json = await run("tasks", { create: "t", goal: "g" }, { cwd: "/" });
     await run("tasks");
     await run("bind", { task: "t", worker: "w", manager: "m" }).catch((error) => error instanceof ConveyorError && error.exitCode + error.message.length);
     // @ts-expect-error no such command
     await run("tusks");
     // @ts-expect-error no such flag
     await run("tasks", { nope: 1 });
     // @ts-expect-error wrong type
     await run("tasks", { active: "yes" });
     // @ts-expect-error required
     await run("bind", { task: "t" });
     export { a };`,
  );
  writeFileSync(
    join(base, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: { strict: true, noEmit: true, module: "ESNext", target: "ESNext", moduleResolution: "bundler", types: [] },
      files: ["good.ts"],
    }),
  );
  const done = Bun.spawnSync([process.execPath, "check", "--no-script"], { cwd: base });
  expect(done.stdout.toString() + done.stderr.toString()).toContain("No type errors");
});
