/** `dashboard`: what it would start, what it refuses, and serving as a process of its own. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { BINARY, until, World } from "../harness.ts";

const SOURCE = [process.execPath, join(import.meta.dir, "..", "..", "src", "main.ts")];
let w: World;
beforeEach(() => {
  w = new World();
});
afterEach(() => w.close());

/** A free port, as the system gives them. */
async function freePort(): Promise<number> {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const { port } = server;
  await server.stop(true);
  return port!;
}

/** The command as a process, from its sources or compiled. */
async function started(words: readonly string[], program: readonly string[] = SOURCE) {
  const child = Bun.spawn([...program, "dashboard", ...words], { env: w.env, cwd: w.work, stdout: "pipe", stderr: "pipe" });
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const first = (await reader.read()).value ?? "";
  return { child, first, stderr: () => new Response(child.stderr).text() };
}

describe("--dry-run", () => {
  test("opens no database and touches nothing", async () => {
    const plan = await w.ok(["dashboard", "--dry-run", "--json", "--task", "a&b", "--ensure-dispatch"]);
    expect(plan).toMatchObject({
      host: "127.0.0.1",
      port: 8797,
      task: "a&b",
      url: "http://127.0.0.1:8797/?task=a%26b",
      ensure_dispatch: true,
    });
    expect(plan.dispatch_command).toEqual(["conveyor", "dispatch", "--watch", "--dispatcher-id", "dispatch-dashboard"]);
    expect(await Bun.file(w.dbPath).exists()).toBe(false);
  });

  test("an IPv6 address stands in brackets; --path is --db-path", async () => {
    const plan = await w.ok(["dashboard", "--dry-run", "--json", "--host", "::1", "--path", "x.db"]);
    expect(plan.url).toBe("http://[::1]:8797/");
    expect(plan.command).toEqual(expect.arrayContaining(["--db-path", join(w.work, "x.db")]));
  });

  test("refuses what would let others in, and ports that are none", async () => {
    for (const words of [
      ["--host", "0.0.0.0"],
      ["--host", "192.168.1.2"],
      ["--host", "example.com"],
      ["--host", ""],
      ["--port", "0"],
      ["--port", "65536"],
      ["--port", "-1"],
      ["--db-path", ""],
    ]) {
      const done = await w.run(["dashboard", "--dry-run", ...words]);
      expect([words, done.exit, done.stdout]).toEqual([words, 2, ""]);
    }
  });
});

describe("serving", () => {
  test.each([
    ["from its sources", SOURCE],
    ["compiled", [BINARY]],
  ])("%s it prints the address with its key, serves the page, and ends on SIGTERM", async (_, program) => {
    const port = await freePort();
    const { child, first } = await started(["--port", String(port)], program);
    const url = first.trim();
    expect(url).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:${port}/\\?token=[\\w-]{43}$`));
    const [cookie, path] = /^([^;]+); Path=([^;]+); HttpOnly/.exec((await fetch(url)).headers.get("set-cookie")!)!.slice(1) as [
      string,
      string,
    ];
    const page = `http://127.0.0.1:${port}${path}`;
    const get = (file: string) => fetch(page + file, { headers: { cookie } }).then((answer) => answer.text());
    expect(await get("")).toContain("assets/page.js");
    expect((await get("assets/page.js")).length).toBeGreaterThan(10_000);
    expect(await get("assets/page.css")).toContain(".terminal");
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
  });

  test("--open gives the browser a private file that leads to the page, and takes it away at the end", async () => {
    const port = await freePort();
    const seen = join(w.dir, "seen");
    const browser = await w.file(
      "browser",
      `#!/bin/sh\nstat -c %a "$1" > "${seen}.mode"\necho "$1" > "${seen}.path"\ncp "$1" "${seen}.html"\n`,
    );
    Bun.spawnSync(["chmod", "+x", browser]);
    w.env.BROWSER = browser;
    const { child, first } = await started(["--port", String(port), "--open"]);
    const html = await until("it was opened", async () =>
      (await Bun.file(`${seen}.html`).exists()) ? Bun.file(`${seen}.html`).text() : null,
    );
    expect(html).toContain(`url=${first.trim()}"`);
    expect((await Bun.file(`${seen}.mode`).text()).trim()).toBe("600");
    child.kill("SIGINT");
    expect(await child.exited).toBe(0);
    expect(await Bun.file((await Bun.file(`${seen}.path`).text()).trim()).exists()).toBe(false);
  });

  test("on a port that is taken it says whose it is", async () => {
    const port = await freePort();
    const { child } = await started(["--port", String(port)]);
    try {
      const second = await started(["--port", String(port)]);
      expect(await second.child.exited).toBe(1);
      const said = await second.stderr();
      expect(said).toContain(`port ${port} is taken by process ${child.pid}`);
      expect(said).toContain(`dashboard --port ${port + 1}`);
    } finally {
      child.kill("SIGTERM");
      await child.exited;
    }
  });

  test("an unknown task is refused before anything is served", async () => {
    const done = await w.run(["dashboard", "--task", "nothing"]);
    expect([done.exit, done.stdout]).toEqual([1, ""]);
    expect(done.stderr).toContain('unknown task "nothing"');
  });

  test("--ensure-dispatch runs one beside it, and ends it with itself", async () => {
    const port = await freePort();
    const { child, first } = await started(["--port", String(port), "--ensure-dispatch", "--json"]);
    const { dispatch_pid: pid } = JSON.parse(first) as { dispatch_pid: number };
    const row = await until(
      "it is on record",
      () =>
        w.rows<{ pid: number; ended_at: string | null }>(
          "select pid, ended_at from dispatchers where dispatcher_id = 'dispatch-dashboard'",
        )[0],
    );
    expect(row).toEqual({ pid, ended_at: null });
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    expect(w.rows<{ ended_at: string | null }>("select ended_at from dispatchers")[0]!.ended_at).not.toBeNull();
  });
});
