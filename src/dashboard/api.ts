/** Requests of a page that passed the gate: the page itself, its files, what it reads, and its actions. */
import * as v from "valibot";
import type { Context } from "../context.ts";
import { finishGates } from "../flow/tasks/finish-gates.ts";
import { foundSessions } from "../flow/sessions/found-sessions.ts";
import { timeline } from "../store/dashboard/timeline.ts";
import { findSession } from "../store/sessions/sessions.ts";
import { findTask } from "../store/tasks/tasks.ts";
import type { Store } from "../store/store.ts";
import { terminalHistory } from "../system/terminal/attached-terminal.ts";
import type { Actions } from "./actions/actions.ts";
import { assetOf, notice, shell } from "./assets.ts";
import { type Gate, safeHeaders } from "./gate.ts";
import type { Live } from "./live.ts";

interface Scene {
  readonly cx: Context;
  readonly store: Store;
  readonly gate: Gate;
  readonly live: Live;
  readonly actions: Actions;
  /** Lets the connection at hand stay open for as long as it likes. */
  timeout(): void;
}

const HISTORY_LINES = 3000;
const TIMELINE_MORE = 100;

/** Answers a request that the gate has let through. */
export async function answer(scene: Scene, request: Request, url: URL): Promise<Response> {
  const host = request.headers.get("host")!;
  const text = (status: number, body: string): Response =>
    new Response(`${body}\n`, { status, headers: { ...safeHeaders(host), "content-type": "text/plain; charset=utf-8" } });
  const token = url.searchParams.get("token");
  if (url.pathname === "/" && request.method === "GET" && token !== null) return enter(scene.gate, host, token, url);
  const path = scene.gate.knows(request) ? scene.gate.inside(url.pathname) : null;
  if (path === null) {
    if (url.pathname !== "/" || request.method !== "GET") return text(401, "no key");
    return page(
      host,
      401,
      notice("No key", "Open the address that <code>conveyor dashboard</code> printed. It lets this browser in until the dashboard ends."),
    );
  }
  url.pathname = path;
  if (request.method === "POST") return act(scene, request, url, text);
  if (url.pathname === "/") {
    const nonce = crypto.randomUUID().replaceAll("-", "");
    return page(host, 200, shell(nonce), nonce);
  }
  if (url.pathname.startsWith("/assets/")) return asset(host, request, url.pathname.slice("/assets/".length)) ?? text(404, "no such file");
  if (url.pathname === "/api/live") return stream(scene, host, request, url, text);
  const data = await read(scene, url);
  return data === undefined ? text(404, "nothing here") : json(host, 200, data);
}

const page = (host: string, status: number, html: string, nonce?: string): Response =>
  new Response(html, { status, headers: { ...safeHeaders(host, nonce), "content-type": "text/html; charset=utf-8" } });

const json = (host: string, status: number, value: unknown): Response =>
  new Response(JSON.stringify(value), { status, headers: { ...safeHeaders(host), "content-type": "application/json" } });

/**
 * The token becomes a cookie. The way on is a page that leads on by itself: after a redirect from elsewhere, a strict cookie would not be
 * sent.
 */
function enter(gate: Gate, host: string, token: string, url: URL): Response {
  const entered = gate.enter(token);
  if (typeof entered !== "string")
    return page(
      host,
      entered.status,
      notice("This key does not fit", `${entered.why}. Open the address that <code>conveyor dashboard</code> printed last.`),
    );
  const task = url.searchParams.get("task");
  const response = page(
    host,
    200,
    notice("Conveyor", "Opening the dashboard.", `${gate.base}${task === null ? "" : `?task=${encodeURIComponent(task)}`}`),
  );
  response.headers.append("set-cookie", entered);
  return response;
}

function asset(host: string, request: Request, name: string): Response | null {
  const file = assetOf(name);
  if (!file) return null;
  const headers: Record<string, string> = {
    ...safeHeaders(host),
    "content-type": file.type,
    etag: file.etag,
    "cache-control": "private, no-cache",
    vary: "accept-encoding",
  };
  if (request.headers.get("if-none-match") === file.etag) return new Response(null, { status: 304, headers });
  if (!/\bgzip\b/.test(request.headers.get("accept-encoding") ?? "")) return new Response(file.plain, { headers });
  return new Response(file.gzip, { headers: { ...headers, "content-encoding": "gzip" } });
}

function stream(scene: Scene, host: string, request: Request, url: URL, text: (status: number, body: string) => Response): Response {
  const lastId = request.headers.get("last-event-id") ?? url.searchParams.get("since");
  const body = scene.live.stream(url.searchParams.get("view") ?? "", lastId);
  if (body === "none") return text(404, "no such view");
  if (body === "full") return text(429, "too many pages are open");
  scene.timeout();
  return new Response(body, { headers: { ...safeHeaders(host), "content-type": "text/event-stream", "x-accel-buffering": "no" } });
}

const cursor = v.record(v.picklist(["turn", "cycle", "delivery", "command", "decision", "event"]), v.pipe(v.number(), v.integer()));

/** What pages ask for once; undefined when there is no such thing. */
async function read({ cx, store }: Scene, url: URL): Promise<unknown> {
  const asked = (name: string): string => url.searchParams.get(name) ?? "";
  switch (url.pathname) {
    case "/api/find": {
      const task = findTask(store, asked("task"));
      return task ? { id: task.id } : undefined;
    }
    case "/api/timeline": {
      const before = v.safeParse(v.pipe(v.string(), v.parseJson(), cursor), asked("before") || "{}");
      return before.success ? timeline(store, asked("task"), TIMELINE_MORE, before.output) : undefined;
    }
    case "/api/gates": {
      const task = findTask(store, asked("task"));
      return task ? finishGates({ cx, store, task }) : undefined;
    }
    case "/api/found":
      return foundSessions(cx, store);
    case "/api/history": {
      const tmux = findSession(store, asked("session"))?.tmux_session;
      const text = tmux ? await terminalHistory(cx.env, tmux, HISTORY_LINES) : null;
      return text === null ? undefined : { text };
    }
    default:
      return undefined;
  }
}

async function act(scene: Scene, request: Request, url: URL, text: (status: number, body: string) => Response): Promise<Response> {
  const refusal = scene.gate.refuseAction(request);
  if (refusal) return text(refusal.status, refusal.why);
  const name = /^\/api\/do\/([a-z-]+)$/.exec(url.pathname)?.[1];
  if (name === undefined || !scene.actions.knows(name)) return text(404, "no such action");
  let input: unknown;
  try {
    input = await request.json();
  } catch {
    return text(400, "the body is not JSON");
  }
  // Starting or stopping sessions takes its time.
  scene.timeout();
  const result = await scene.actions.run(name, input);
  scene.live.refresh();
  return json(request.headers.get("host")!, result.done ? 200 : 409, result);
}
