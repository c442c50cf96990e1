/** A hostile web page, open in the same browser as the dashboard, on another port and under another name of the same machine. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { World } from "../harness.ts";
import { closeTabs, openTab, startBrowser } from "./browser.ts";
import { Site } from "./site.ts";

const w = new World();
let browser: Browser;
let site: Site;
let evil: Bun.Server<undefined>;
/** Cookies that the hostile server was sent. */
const collected: string[] = [];

beforeAll(async () => {
  browser = await startBrowser();
  await w.ok("tasks --create secret-plan --goal 'Not for others'");
  site = await Site.open(w);
  evil = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      collected.push(request.headers.get("cookie") ?? "");
      return new Response("<!doctype html><title>evil</title><body>", { headers: { "content-type": "text/html" } });
    },
  });
});
afterEach(() => closeTabs(browser));
afterAll(async () => {
  await browser?.close();
  await evil?.stop(true);
  await site?.close();
  w.close();
});

/** A profile that has the dashboard's cookie, now at a hostile page. `localhost` is another site than 127.0.0.1, another port of it only another origin. */
async function lured(host: string): Promise<Page> {
  const { page } = await openTab(browser, site.dashboard.url);
  await page.waitForSelector(".cards");
  const other = await page.context().newPage();
  await other.goto(`http://${host}:${evil.port}/`);
  return other;
}
const names = async (): Promise<string[]> => (await w.ok("tasks --json")).map((task: { name: string }) => task.name);

for (const host of ["127.0.0.1", "localhost"]) {
  for (const target of ["127.0.0.1", "localhost"]) {
    describe(`from ${host} to ${target}`, () => {
      const at = (path: string): string => JSON.stringify(`http://${target}:${site.dashboard.port}${site.base}${path.slice(1)}`);

      test("fetch reads nothing and changes nothing", async () => {
        const page = await lured(host);
        const tried = await page.evaluate(`Promise.all([
          fetch(${at("/api/found")}, { credentials: "include" }),
          fetch(${at("/api/find?task=secret-plan")}, { credentials: "include", mode: "no-cors" }).then((r) => r.type === "opaque" ? Promise.reject(0) : r),
          fetch(${at("/api/do/create-task")}, { method: "POST", credentials: "include", headers: { "content-type": "application/json", "x-conveyor": "1" }, body: '{"name":"forged","goal":"x"}' }),
          fetch(${at("/api/do/create-task")}, { method: "POST", credentials: "include", headers: { "content-type": "text/plain" }, body: '{"name":"forged","goal":"x"}' }),
          fetch(${at("/api/do/create-task")}, { method: "POST", credentials: "include", mode: "no-cors", body: '{"name":"forged","goal":"x"}' }).then((r) => r.type === "opaque" ? Promise.reject(0) : r),
        ].map((each) => each.then(() => "read", () => "refused")))`);
        expect(tried).toEqual(Array(5).fill("refused"));
        expect(await names()).toEqual(["secret-plan"]);
      });

      test("EventSource and WebSocket open nothing", async () => {
        const page = await lured(host);
        const tried = await page.evaluate(`Promise.all([
          new Promise((done) => { const s = new EventSource(${at("/api/live?view=overview")}, { withCredentials: true }); s.onmessage = () => done("read"); s.onerror = () => done("refused"); }),
          new Promise((done) => { const s = new WebSocket(${at("/api/terminal?session=x")}.replace("http", "ws")); s.onopen = () => done("read"); s.onerror = () => done("refused"); }),
        ])`);
        expect(tried).toEqual(["refused", "refused"]);
      });

      test("a form post creates nothing", async () => {
        const page = await lured(host);
        const answered = page.waitForResponse((response) => response.url().includes("/api/do/"));
        await page.evaluate(
          `(() => { const f = document.createElement("form"); f.method = "post"; f.enctype = "text/plain"; f.action = ${at("/api/do/create-task")}; const i = document.createElement("input"); i.name = '{"name":"forged","goal":"x","summary":"'; i.value = '"}'; f.append(i); document.body.append(f); f.submit(); })()`,
        );
        expect((await answered).status()).toBeGreaterThanOrEqual(400);
        expect(await names()).toEqual(["secret-plan"]);
      });

      test("neither frames, scripts nor pictures of it can be had", async () => {
        const page = await lured(host);
        const tried = await page.evaluate(`Promise.all([
          new Promise((done) => { const s = document.createElement("script"); s.src = ${at("/assets/page.js")}; s.onload = () => done("loaded"); s.onerror = () => done("refused"); document.head.append(s); }),
          new Promise((done) => { const s = document.createElement("link"); s.rel = "stylesheet"; s.href = ${at("/assets/page.css")}; s.onload = () => done("loaded"); s.onerror = () => done("refused"); document.head.append(s); }),
        ])`);
        expect(tried).toEqual(["refused", "refused"]);
        const framed = page.waitForResponse((response) => new URL(response.url()).port === String(site.dashboard.port));
        await page.evaluate(`(() => { const f = document.createElement("iframe"); f.src = ${at("/")}; document.body.append(f); })()`);
        expect((await framed).status()).toBe(403);
        expect(page.frames().some((frame) => frame.url().startsWith(`http://${target}:${site.dashboard.port}`))).toBe(false);
      });
    });
  }
}

test("a server on another port, as another user may run one, is never sent the cookie", async () => {
  collected.length = 0;
  const page = await lured("127.0.0.1");
  await page.goto(`http://127.0.0.1:${evil.port}/api/found`);
  expect(collected.length).toBeGreaterThanOrEqual(2);
  expect(collected.filter((cookie) => cookie !== "")).toEqual([]);
});

test("a name that is pointed at this machine (DNS rebinding) gets nothing", async () => {
  const rebound = await startBrowser("--host-resolver-rules=MAP rebound.example 127.0.0.1");
  try {
    const page = await rebound.newPage();
    const answer = await page.goto(
      `http://rebound.example:${site.dashboard.port}/?token=${new URL(site.dashboard.url).searchParams.get("token")}`,
    );
    expect(answer!.status()).toBe(421);
    expect(await page.context().cookies()).toEqual([]);
    expect(await page.evaluate(`fetch("api/found").then((r) => r.status)`)).toBe(421);
  } finally {
    await rebound.close();
  }
});
