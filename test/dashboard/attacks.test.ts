/** Everything that another page, program or agent on the machine might try against the dashboard, at the level of its port. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { World } from "../harness.ts";
import { Site } from "./site.ts";

const w = new World();
let site: Site;
beforeAll(async () => {
  await w.ok("tasks --create quiet --goal 'Nothing happens'");
  site = await Site.open(w);
});
afterAll(async () => {
  await site.close();
  w.close();
});

/** Speaks to the port without any client that would tidy up what is sent. */
function raw(text: string, until: RegExp = /\r\n\r\n/): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = "";
    const socket = connect(site.dashboard.port, "127.0.0.1", () => socket.write(text));
    socket.on("data", (data) => {
      heard += data.toString("latin1");
      if (until.test(heard)) socket.destroy();
    });
    socket.on("close", () => resolve(heard));
    socket.on("error", reject);
  });
}
const status = (answer: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
const tasks = async (): Promise<number> => (await w.ok("tasks --json")).length;

const upgrade = (headers: Record<string, string>): string =>
  `GET ${site.base}api/terminal?session=x HTTP/1.1\r\n${Object.entries({
    Host: `127.0.0.1:${site.dashboard.port}`,
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    ...headers,
  })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("")}\r\n`;

describe("a foreign Host (DNS rebinding)", () => {
  test("is refused on every kind of request", async () => {
    for (const host of [
      "evil.example",
      `evil.example:${site.dashboard.port}`,
      "127.0.0.1",
      "127.0.0.1:1",
      `0.0.0.0:${site.dashboard.port}`,
      `localhost.evil.example:${site.dashboard.port}`,
    ]) {
      for (const path of ["/", "/assets/page.js", "/api/live?view=overview", "/api/found"]) {
        expect([
          host,
          path,
          status(await raw(`GET ${site.base}${path.slice(1)} HTTP/1.1\r\nHost: ${host}\r\nCookie: ${site.cookie}\r\n\r\n`)),
        ]).toEqual([host, path, 421]);
      }
      expect(status(await raw(upgrade({ Host: host, Origin: `http://${host}`, Cookie: site.cookie })))).toBe(421);
    }
  });

  test("also when Origin says the same as Host, and when there is no Host", async () => {
    const answer = await raw(
      `POST ${site.base}api/do/create-task HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\nX-Conveyor: 1\r\nContent-Type: application/json\r\nCookie: ${site.cookie}\r\nContent-Length: 2\r\n\r\n{}`,
    );
    expect(status(answer)).toBe(421);
    expect(status(await raw(`GET / HTTP/1.0\r\n\r\n`))).not.toBe(200);
  });

  test("all loopback names are ours", async () => {
    for (const host of ["localhost", "[::1]", "127.0.0.1", "LOCALHOST"]) {
      expect(status(await raw(`GET ${site.base} HTTP/1.1\r\nHost: ${host}:${site.dashboard.port}\r\nCookie: ${site.cookie}\r\n\r\n`))).toBe(
        200,
      );
    }
  });
});

describe("a foreign Origin", () => {
  const foreign = ["http://evil.example", "null", "http://localhost:3000", "https://127.0.0.1"];
  test("is refused on fetch and event streams", async () => {
    for (const origin of foreign) {
      for (const path of ["/api/found", "/api/live?view=overview", "/", "/assets/page.js"])
        expect([origin, path, (await site.ask(path, { headers: { origin } })).status]).toEqual([origin, path, 403]);
    }
  });

  test("is refused on WebSockets, and so is none", async () => {
    for (const origin of foreign) expect(status(await raw(upgrade({ Origin: origin, Cookie: site.cookie })))).toBe(403);
    expect(status(await raw(upgrade({ Cookie: site.cookie })))).toBe(403);
    expect(status(await raw(upgrade({ Origin: site.origin, Cookie: site.cookie })))).toBe(101);
  });

  test("is refused when only the browser's own header tells", async () => {
    for (const fetched of ["cross-site", "same-site"])
      expect((await site.ask("/api/found", { headers: { "sec-fetch-site": fetched } })).status).toBe(403);
  });

  test("no answer allows other origins to read it", async () => {
    for (const path of ["/", "/api/found", "/assets/page.js"]) {
      const { headers } = await site.ask(path);
      expect(headers.get("access-control-allow-origin")).toBeNull();
      expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
    }
    expect(
      (
        await site.ask("/api/do/create-task", {
          method: "OPTIONS",
          headers: { origin: "http://evil.example", "access-control-request-method": "POST" },
        })
      ).status,
    ).toBe(405);
  });
});

describe("a form post", () => {
  test("changes nothing, whatever it pretends to be", async () => {
    const before = await tasks();
    const input = { name: "forged", goal: "x" };
    for (const headers of [
      { "content-type": "application/x-www-form-urlencoded" },
      { "content-type": "text/plain" },
      { "content-type": "multipart/form-data; boundary=x" },
      { "x-conveyor": undefined },
      { "x-conveyor": "0" },
      { origin: undefined },
      { origin: "http://evil.example" },
      { "sec-fetch-site": "cross-site" },
    ]) {
      expect((await site.act("create-task", input, headers)).status).toBeGreaterThanOrEqual(400);
    }
    expect((await site.ask("/api/do/create-task?name=forged&goal=x")).status).toBe(404);
    expect(await tasks()).toBe(before);
  });
});

describe("a key that is missing or old", () => {
  test("opens nothing", async () => {
    for (const path of ["/assets/page.js", "/api/live?view=overview", "/api/found", "/api/history?session=x"])
      expect([path, (await site.ask(path, { stranger: true })).status]).toEqual([path, 401]);
    const page = await site.ask("//", { stranger: true });
    expect([page.status, await page.text()]).toEqual([401, expect.not.stringContaining("page.js")]);
    expect(status(await raw(upgrade({ Origin: site.origin })))).toBe(401);
    expect(status(await raw(upgrade({ Origin: site.origin, Cookie: `conveyor-${site.dashboard.port}=guess` })))).toBe(401);
  });

  test("of an earlier run, or made up, is refused; too many tries are cut off", async () => {
    const other = new World();
    const earlier = await Site.open(other);
    try {
      const old = new URL(earlier.dashboard.url).searchParams.get("token")!;
      expect(old.length).toBeGreaterThan(40);
      expect((await site.ask(`//?token=${old}`, { stranger: true })).status).toBe(401);
      expect(
        (
          await site.ask("/api/found", {
            stranger: true,
            headers: { cookie: `conveyor-${site.dashboard.port}=${earlier.cookie.split("=")[1]}` },
          })
        ).status,
      ).toBe(401);
      const tries = await Promise.all(Array.from({ length: 30 }, (_, i) => earlier.ask(`//?token=guess${i}`, { stranger: true })));
      expect(tries.map((each) => each.status)).toContain(429);
      expect((await earlier.ask(`//?token=${old}`, { stranger: true })).status).toBe(200);
    } finally {
      await earlier.close();
      other.close();
    }
  });

  test("the cookie is kept from scripts and other sites, and is not the key", async () => {
    const entered = await fetch(site.dashboard.url);
    const cookie = entered.headers.get("set-cookie")!;
    expect(cookie).toMatch(/; Path=\/[\w-]{16}\/; HttpOnly; SameSite=Strict$/);
    expect(cookie).not.toContain(new URL(site.dashboard.url).searchParams.get("token")!);
    expect(await entered.text()).not.toContain("<script");
  });
});

describe("paths and sizes", () => {
  test("no path leads to a file", async () => {
    const paths = [
      "assets/../../../etc/passwd",
      "assets/%2e%2e%2f%2e%2e%2fetc/passwd",
      "../../etc/passwd",
      "assets/..%5c..%5cetc",
      "/etc/passwd",
      "assets/constructor",
      "api/../package.json",
      ".env",
      "assets/",
    ];
    for (const path of [...paths.map((each) => site.base + each), "/../etc/passwd", "//etc/passwd", "/assets/page.js", "/api/found"]) {
      const answer = await raw(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${site.dashboard.port}\r\nCookie: ${site.cookie}\r\n\r\n`);
      expect([path, [401, 404].includes(status(answer))]).toEqual([path, true]);
      expect(answer).not.toContain("root:");
    }
  });

  test("a body of 100 MB is turned away before it is read, with its length given or not", async () => {
    const head = `POST ${site.base}api/do/create-task HTTP/1.1\r\nHost: 127.0.0.1:${site.dashboard.port}\r\nOrigin: ${site.origin}\r\nX-Conveyor: 1\r\nContent-Type: application/json\r\nCookie: ${site.cookie}\r\n`;
    expect(status(await raw(`${head}Content-Length: ${100 << 20}\r\n\r\n{`))).toBe(413);
    const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
    expect(status(await raw(`${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(16)}`))).toBe(413);
    expect(await tasks()).toBe(1);
  });

  test("broken JSON, wrong shapes and unknown actions are refused by name", async () => {
    expect((await site.act("create-task", "{")).status).toBe(400);
    expect((await site.act("create-task", "[]")).status).toBe(409);
    expect((await site.act("create-task", { name: "x", goal: "y", extra: 1 })).body).toMatchObject({ done: false });
    expect((await site.act("create-task", { name: " ", goal: "y" })).body.said).toContain("name");
    for (const name of ["nothing", "constructor", "__proto__", "toString"]) expect((await site.act(name, {})).status).toBe(404);
  });

  test("more requests than a person can make are slowed down", async () => {
    const own = new World();
    const other = await Site.open(own);
    try {
      const answers = await Promise.all(Array.from({ length: 1500 }, () => other.ask("/nothing").then((each) => each.status)));
      expect(answers).toContain(429);
      const actions = await Promise.all(Array.from({ length: 45 }, () => other.act("dismiss", {})));
      expect(actions.map((each) => each.status)).toContain(429);
    } finally {
      await other.close();
      own.close();
    }
  });
});

describe("the answers", () => {
  test("forbid scripts of others, framing, sniffing and referrers", async () => {
    const { headers } = await site.ask("/");
    const policy = headers.get("content-security-policy")!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect([
      headers.get("x-content-type-options"),
      headers.get("x-frame-options"),
      headers.get("referrer-policy"),
      headers.get("cache-control"),
    ]).toEqual(["nosniff", "DENY", "no-referrer", "no-store"]);
  });

  test("name neither tokens nor identity tokens of sessions", async () => {
    await w.ok([
      "register-worker",
      "--name",
      "seen",
      "--pid",
      String(process.pid),
      "--codex-session",
      await w.file(
        "codex/sessions/2026/01/01/rollout-x-0198a000-0000-7000-8000-000000000001.jsonl",
        `${JSON.stringify({ timestamp: "2026-01-01T00:00:00Z", type: "session_meta", payload: { id: "0198a000-0000-7000-8000-000000000001", cwd: "/x", timestamp: "2026-01-01T00:00:00Z", originator: "codex-tui", cli_version: "0.169.0" } })}\n`,
      ),
    ]);
    const token = w.rows<{ identity_token: string }>("select identity_token from sessions")[0]!.identity_token;
    const stream = await site.live("overview");
    const first = JSON.stringify((await stream.next()).data);
    await stream.close();
    expect(first).toContain('"name":"seen"');
    expect(first).not.toContain(token);
  });
});
