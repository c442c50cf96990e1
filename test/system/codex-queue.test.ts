/** Codex's queue behind programs that do not end when they are asked, that are scripts around others, or that never stop talking. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addToQueue, withdrawFromQueue } from "../../src/system/codex/queue.ts";
import { alive } from "../../src/system/processes/processes.ts";
import { until } from "../harness.ts";

let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), "queue-"))));
afterEach(() => rmSync(dir, { recursive: true }));

const env = { PATH: process.env.PATH };
/** A server that answers every request, and leaves its pid. */
const SERVER = `
import { appendFileSync } from "node:fs";
appendFileSync(${"`${import.meta.dir}/pids`"}, process.pid + "\\n");
const deaf = process.argv.includes("deaf");
if (deaf) for (const name of ["SIGTERM", "SIGHUP", "SIGINT"]) process.on(name, () => {});
if (deaf) setInterval(() => {}, 1000);
for await (const line of console) {
  const { id, method } = JSON.parse(line);
  if (id === undefined) continue;
  const result = { initialize: {}, "thread/queue/add": { queuedSubmission: { id: "item" } }, "thread/queue/delete": { deleted: true } }[method];
  console.log(JSON.stringify({ id, result }));
}
if (deaf) await new Promise(() => {});
`;

function codex(script: string): string {
  writeFileSync(join(dir, "server.mjs"), SERVER);
  const path = join(dir, "codex");
  writeFileSync(path, `#!/bin/sh\ncd '${dir}'\n${script.replaceAll("SERVER", `'${process.execPath}' '${dir}/server.mjs'`)}\n`);
  chmodSync(path, 0o755);
  return path;
}
const pids = (): number[] => (existsSync(join(dir, "pids")) ? readFileSync(join(dir, "pids"), "utf8").trim().split("\n").map(Number) : []);
/** Gone, or dead and not yet fetched. */
const hasEnded = (pid: number): boolean =>
  !alive(pid) ||
  /^(Z|$)/.test(
    Bun.spawnSync(["ps", "-o", "stat=", "-p", String(pid)])
      .stdout.toString()
      .trim(),
  );

async function timed<T>(work: Promise<T>): Promise<{ value: T; ms: number }> {
  const began = performance.now();
  return { value: await work, ms: performance.now() - began };
}

for (const [what, script] of [
  ["ends when asked", "exec SERVER"],
  ["ignores every request to end", "exec SERVER deaf"],
  ["is a script around the program", "SERVER\necho after"],
  ["is a script around a deaf program", "trap '' TERM HUP INT\nSERVER deaf\necho after"],
  ["leaves something that holds its pipes", "sleep 300 &\necho $! >> pids\nexec SERVER"],
] as const) {
  test(`a codex that ${what} answers, and nothing of it stays`, async () => {
    const path = codex(script);
    const { value, ms } = await timed(addToQueue(path, env, "thread", "text", "id"));
    expect(value).toEqual({ value: "item" });
    expect(ms).toBeLessThan(6000);
    expect(await withdrawFromQueue(path, env, "thread", "item")).toEqual({ value: true });
    expect(pids().length).toBeGreaterThan(1);
    await until("the end of all of it", () => pids().every(hasEnded));
  });
}

test("one that floods its output is refused and ended", async () => {
  const { value, ms } = await timed(addToQueue(codex("echo $$ >> pids; exec yes '{}'"), env, "thread", "text", "id"));
  expect(value).toEqual({ error: "codex app-server gave no answer to initialize" });
  expect(ms).toBeLessThan(12_000);
  await until("its end", () => pids().every(hasEnded));
});

test("one that says a line without an end is refused and ended", async () => {
  const { value } = await timed(addToQueue(codex("echo $$ >> pids; exec tr '\\0' x < /dev/zero"), env, "thread", "text", "id"));
  expect(value).toEqual({ error: "codex app-server gave no answer to initialize" });
  await until("its end", () => pids().every(hasEnded));
});

test("one that ends before it greets is a refusal at once", async () => {
  const { value, ms } = await timed(addToQueue(codex("exit 3"), env, "thread", "text", "id"));
  expect(value).toEqual({ error: "codex app-server gave no answer to initialize" });
  expect(ms).toBeLessThan(3000);
});

test("one that greets and then falls silent leaves the outcome unknown", async () => {
  const path = codex(`read -r line; echo '{"id":1,"result":{}}'; exec 1>&-; exec sleep 300`);
  await expect(addToQueue(path, env, "thread", "text", "id")).rejects.toThrow("no answer to thread/queue/add");
});

test("one that cannot be started is a refusal", async () => {
  expect(await addToQueue(join(dir, "nothing"), env, "thread", "text", "id")).toMatchObject({
    error: expect.stringContaining("could not be started"),
  });
});
