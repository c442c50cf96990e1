/** Whatever a stranger on this machine does at the dashboard's port, the operator's page goes on: nothing that is counted is shared. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { World } from "../harness.ts";
import { Site } from "./site.ts";

let w: World;
let site: Site;
const sockets: Socket[] = [];
beforeEach(async () => {
  w = new World();
  site = await Site.open(w);
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await site.close();
  w.close();
});

const MANY = 800;
const statuses = (answers: readonly Response[]): number[] => [...new Set(answers.map((each) => each.status))].sort();
const many = (ask: (i: number) => Promise<Response>, times = MANY): Promise<Response[]> =>
  Promise.all(Array.from({ length: times }, (_, i) => ask(i)));

/** A connection that has sent `text` and then keeps quiet; `heard` gives what came back once there is something. */
function hold(text: string): Promise<{ heard(): Promise<string> }> {
  return new Promise((resolve, reject) => {
    let data = "";
    const socket = connect(site.dashboard.port, "127.0.0.1", () => {
      socket.write(text);
      resolve({
        heard: () =>
          new Promise((told) => {
            if (data !== "" || socket.closed) return told(data);
            socket.once("data", () => told(data));
            socket.once("close", () => told(data));
          }),
      });
    });
    sockets.push(socket);
    socket.on("data", (part) => void (data += part.toString("latin1")));
    socket.on("error", reject);
  });
}

/** What the operator does, all of it at a moment when strangers have done their worst. */
async function allIsWell(): Promise<void> {
  expect((await site.ask("/")).status).toBe(200);
  expect((await site.ask("/api/found")).status).toBe(200);
  expect((await site.act("dismiss", {})).status).toBe(409);
  const stream = await site.live("overview");
  expect((await stream.next()).data).toBeDefined();
  await stream.close();
  const entered = await fetch(site.dashboard.url);
  expect([entered.status, entered.headers.get("set-cookie")]).toEqual([200, expect.stringContaining("conveyor-")]);
  const { host } = new URL(site.origin);
  const socket = new WebSocket(`ws://${host}${site.base}api/terminal?session=x`, {
    headers: { cookie: site.cookie, origin: site.origin },
  } as unknown as string[]);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error("the terminal's door is shut"));
  });
  socket.close();
}

test("requests without the key use up nothing", async () => {
  expect(statuses(await many(() => site.ask("/api/found", { stranger: true })))).toEqual([401]);
  expect(statuses(await many(() => site.ask("//", { stranger: true })))).toEqual([401]);
  await allIsWell();
});

test("wrong keys use up nothing, and the right one opens in the midst of them", async () => {
  const guesses = many((i) => site.ask(`//?token=guess${i}`, { stranger: true }));
  expect((await fetch(site.dashboard.url)).status).toBe(200);
  expect(statuses(await guesses)).toEqual([401, 429]);
  await allIsWell();
});

test("wrong cookies use up nothing, also beside the right one", async () => {
  const name = site.cookie.split("=")[0]!;
  const wrong = Array.from({ length: 50 }, (_, i) => `${name}=wrong${i}`).join("; ");
  expect(statuses(await many((i) => site.ask("/api/found", { stranger: true, headers: { cookie: `${name}=wrong${i}` } })))).toEqual([401]);
  for (const cookie of [`${wrong}; ${site.cookie}`, `${site.cookie}; ${wrong}`, `${name}=; ${name}; ${site.cookie}`])
    expect((await site.ask("/api/found", { stranger: true, headers: { cookie } })).status).toBe(200);
  await allIsWell();
});

test("what a foreign page sends with the operator's own cookie uses up nothing", async () => {
  const foreign: Record<string, string>[] = [
    { origin: "http://evil.example" },
    { "sec-fetch-site": "same-site" },
    { host: "evil.example" },
  ];
  for (const headers of foreign) expect(statuses(await many(() => site.ask("/api/found", { headers })))).toHaveLength(1);
  expect(statuses(await many(() => site.ask("/api/do/dismiss", { method: "PUT" })))).toEqual([405]);
  await allIsWell();
});

test("refused actions and WebSockets use up nothing", async () => {
  const action = { origin: site.origin, "x-conveyor": "1", "content-type": "application/json" };
  expect(statuses(await many(() => site.ask("/api/do/dismiss", { method: "POST", body: "{}", stranger: true, headers: action })))).toEqual([
    401,
  ]);
  const upgrade = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
  };
  const ask = { ...upgrade, origin: site.origin };
  expect(statuses(await many(() => site.ask("/api/terminal?session=x", { stranger: true, headers: ask })))).toEqual([401]);
  await allIsWell();
});

test("connections that say nothing, never finish, or say too much use up nothing", async () => {
  const head = `GET ${site.base} HTTP/1.1\r\nHost: 127.0.0.1:${site.dashboard.port}\r\n`;
  for (const text of ["", "GET", head, `${head.replace("GET", "POST")}Content-Length: 100000\r\n\r\n{`])
    for (let i = 0; i < 60; i++) await hold(text);
  for (let i = 0; i < 20; i++)
    expect(await (await hold(`${head}X-Long: ${"x".repeat(1 << 17)}\r\n\r\n`)).heard()).toStartWith("HTTP/1.1 431");
  await allIsWell();
});

test("many requests down one connection whose answers nobody reads use up nothing", async () => {
  const asked = `GET / HTTP/1.1\r\nHost: 127.0.0.1:${site.dashboard.port}\r\n\r\n`.repeat(MANY);
  for (let i = 0; i < 10; i++) await hold(asked);
  await allIsWell();
});

test("the operator's own browsers are still held to what a person can do", async () => {
  expect(statuses(await many(() => site.ask("/api/find?task=x")))).toEqual([404, 429]);
});
