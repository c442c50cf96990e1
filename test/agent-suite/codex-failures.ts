/** A model that refuses, breaks off and is full, as the real one does it to Codex: `fail NAME` fails as NAME says, all else goes to another. */
import { isObject } from "../../src/core/json.ts";

const frame = (type: string, body: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...body })}\n\n`;
const stream = (...frames: string[]) => new Response(frames.join(""), { headers: { "content-type": "text/event-stream" } });
const created = frame("response.created", { response: { id: "r" } });
const json = { "content-type": "application/json" };
const refusal = (status: number, error: object | null, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(error === null ? {} : { error }), { status, headers: { ...json, ...headers } });

/** @param limit names the second of the epoch at which the spent limit is full again */
const answers = (limit: { readonly resetsAt: number }): Readonly<Record<string, () => Response>> => ({
  limit: () =>
    refusal(
      429,
      { type: "usage_limit_reached", message: "x", plan_type: "pro", resets_in_seconds: 3600 },
      {
        "x-codex-primary-used-percent": "100",
        "x-codex-primary-window-minutes": "300",
        "x-codex-primary-reset-at": String(limit.resetsAt),
      },
    ),
  "429": () => refusal(429, null),
  "503": () => refusal(503, { code: "server_is_overloaded" }),
  "500": () => refusal(500, null),
  context: () =>
    stream(created, frame("response.failed", { response: { id: "r", error: { code: "context_length_exceeded", message: "no" } } })),
  "401": () => refusal(401, null),
  cut: () => stream(created),
  "400": () => refusal(400, { message: "bad", type: "invalid_request_error" }),
  "404": () => refusal(404, null),
});

/** What the user said last in the conversation of a request, without what Codex adds about its surroundings. */
function lastWords(body: unknown): string {
  const input = isObject(body) && Array.isArray(body.input) ? body.input.filter(isObject) : [];
  const texts = input.filter(({ role }) => role === "user").map(({ content }) => content);
  const said = texts.map((content) => (Array.isArray(content) && isObject(content[0]) ? String(content[0].text) : ""));
  return said.findLast((text) => !text.startsWith("<")) ?? "";
}

export interface FailingModel {
  readonly url: string;
  /** Second of the epoch at which the limit is full again that is spent from now on. */
  resetsAt: number;
  stop(): Promise<void>;
}

/** @param behind base address of the model that answers whatever is not to fail */
export function failingModel(behind: string, resetsAt: number): FailingModel {
  const limit = { resetsAt };
  const failures = answers(limit);
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      const text = request.method === "POST" ? await request.text() : null;
      const name = text === null ? undefined : /^fail (\S+)$/.exec(lastWords(JSON.parse(text)))?.[1];
      if (name !== undefined) return failures[name]!();
      const path = new URL(request.url).pathname.replace(/^\/v1/, "");
      return fetch(behind + path, { method: request.method, headers: request.headers, body: text });
    },
  });
  return Object.assign(limit, { url: `http://127.0.0.1:${server.port}/v1`, stop: () => server.stop(true) });
}
