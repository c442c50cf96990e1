/** Real processes: a shell with a child that holds a file open. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sessionFamily, sessionLine } from "../../../src/system/agent/kinship.ts";
import {
  alive,
  commandLineOf,
  environmentOf,
  executableOf,
  holdersOf,
  listProcesses,
  openFiles,
  startedAt,
} from "../../../src/system/processes/processes.ts";
import { until } from "../../harness.ts";

const env = process.env;
const dir = realpathSync(mkdtempSync(join(tmpdir(), "cvp-")));
const file = join(dir, "held open.jsonl");
const shell = Bun.spawn(["sh", "-c", `exec 3>>"$FILE"; sleep 60 3>&3 & wait`], { env: { ...env, FILE: file, MARK: "a=b" } });
const family = () =>
  until("the child", async () => {
    const members = await sessionFamily(shell.pid, (await listProcesses(env)) ?? [], env);
    return members.length === 2 ? members : null;
  });
afterAll(async () => {
  for (const pid of await family()) process.kill(pid, "SIGKILL");
  rmSync(dir, { recursive: true, force: true });
});

test("who lives and who does not", async () => {
  const gone = Bun.spawn(["true"]);
  await gone.exited;
  expect([alive(process.pid), alive(1), alive(gone.pid), alive(0), alive(-1), alive(Number.NaN)]).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});

test("families go down, ancestors go up", async () => {
  const [parent, child] = await family();
  expect(parent).toBe(shell.pid);
  const processes = (await listProcesses(env)) ?? [];
  expect((await sessionLine(child!, processes, env)).slice(0, 3)).toEqual([child!, shell.pid, process.pid]);
  expect(await sessionFamily(999_999_999, processes, env)).toEqual([999_999_999]);
});

test("the child that inherited a descriptor holds the file open, a vanished process answers nothing", async () => {
  const [, child] = await family();
  if (Bun.which("lsof") !== null) await until("its holders", async () => (await holdersOf(file, env))?.includes(child!));
  expect(await holdersOf(join(dir, "absent"), env)).toBeNull();
  await until("the open file", async () => (await openFiles(child!, env))?.includes(file));
  expect(await openFiles(999_999_999, env)).toBeNull();
  expect(await executableOf(999_999_999, env)).toBeNull();
  expect(await startedAt(999_999_999, env)).toBeNull();
});

test("program file, start and environment of a process", async () => {
  const [, child] = await family();
  expect(await executableOf(child!, env)).toMatch(/\/(sleep|coreutils|busybox)$/);
  const at = (await startedAt(child!, env)) ?? 0;
  expect(Math.abs(Date.now() - at)).toBeLessThan(120_000);
  if (process.platform === "linux") expect(environmentOf(child!, "MARK")).toBe("a=b");
  expect(environmentOf(child!, "NOT_THERE")).toBeNull();
  expect(await commandLineOf(child!, env)).toEqual(["sleep", "60"]);
  expect(await commandLineOf(999_999_999, env)).toBeNull();
});
