/** A Messages API on loopback that a script answers instead of a model: the real Claude Code can be run without an account. */
import type { ModelItem, ModelRequest, ScriptedModel } from "../../core/agent/scripted-model.ts";
import { isObject, type Json, type JsonObject } from "../../core/json.ts";

/** One thing that the model may do for Claude Code: what any model may, or a call of one of its tools. */
export type MessagesItem = ModelItem | { readonly tool: string; readonly input: JsonObject };

/** What is said and done, at once or bit by bit (the turn stays open in between), or the response of a server that fails. */
export type MessagesAnswer = Iterable<MessagesItem> | AsyncIterable<MessagesItem> | Response;
export type MessagesScript = (request: ModelRequest) => MessagesAnswer | Promise<MessagesAnswer>;

const usage = { input_tokens: 100, cache_creation_input_tokens: 20, cache_read_input_tokens: 3000, output_tokens: 10 };
const json = { "content-type": "application/json" };

/** Such a response. A short `retry-after`, or none, and the client tries again, unless it is told not to. */
export const refusal = (status: number, type: string, message: string, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify({ type: "error", error: { type, message } }), { status, headers: { ...json, ...headers } });

const encoder = new TextEncoder();
export const frame = (type: string, data: object): Uint8Array =>
  encoder.encode(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);

/** The first frame of every answer. */
export const opening = (id: string, model: Json): Uint8Array =>
  frame("message_start", {
    message: { id, type: "message", role: "assistant", model, content: [], stop_reason: null, stop_sequence: null, usage },
  });

function* block(index: number, item: MessagesItem, id: string): Generator<Uint8Array> {
  if ("say" in item) {
    yield frame("content_block_start", { index, content_block: { type: "text", text: "" } });
    yield frame("content_block_delta", { index, delta: { type: "text_delta", text: item.say } });
  } else {
    const [name, input] = "run" in item ? ["Bash", { command: item.run, description: "what the script says" }] : [item.tool, item.input];
    yield frame("content_block_start", { index, content_block: { type: "tool_use", id: `toolu_${id}_${index}`, name, input: {} } });
    yield frame("content_block_delta", { index, delta: { type: "input_json_delta", partial_json: JSON.stringify(input) } });
  }
  yield frame("content_block_stop", { index });
}

async function* answer(items: Exclude<MessagesAnswer, Response>, id: string, model: Json): AsyncGenerator<Uint8Array> {
  yield opening(`msg_${id}`, model);
  let index = 0;
  let stop = "end_turn";
  for await (const item of items) {
    yield* block(index, item, id);
    if (!("say" in item)) stop = "tool_use";
    index += 1;
  }
  yield frame("message_delta", { delta: { stop_reason: stop, stop_sequence: null }, usage });
  yield frame("message_stop", {});
}

const textOf = (content: Json | undefined): string => {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part) => (isObject(part) && typeof part.text === "string" ? part.text : "")).join("\n");
};

/** Words that came in the middle of a turn, or from another session, stand in such a frame, also among those of the system. */
const FRAMED =
  /(?:The user sent a new message|Another Claude session sent a message)(?: while you were working)?:\n(.*?)\n\nThis (?:is how Claude Code surfaces|came from another Claude session)/gs;

/** What the user, or another session, says in a part of the conversation, without what the client adds to it. */
function saidIn({ role, type, text }: JsonObject): string[] {
  if (type !== "text" || typeof text !== "string" || role === "assistant") return [];
  const framed = [...text.matchAll(FRAMED)].map(([, words]) => words!);
  if (framed.length > 0 || role !== "user") return framed;
  const own = text
    .replace(/<system-reminder>.*?<\/system-reminder>/gs, "")
    .replace(/^\[Request interrupted by user(?: for tool use)?\]$/gm, "")
    .replace(/\n*<pasted_content id="[^"]*">\n(.*?)\n<\/pasted_content id="[^"]*">\n*/gs, "$1")
    .trim();
  return own === "" ? [] : [own];
}

function readRequest(http: Request, body: JsonObject): ModelRequest {
  const input = Array.isArray(body.messages) ? body.messages.filter(isObject) : [];
  // Messages of the user that follow each other arrive as one.
  const parts = input.flatMap(({ role, content }): JsonObject[] => {
    const all = typeof content === "string" ? [{ type: "text", text: content }] : Array.isArray(content) ? content.filter(isObject) : [];
    return all.map((part) => ({ ...part, role: role ?? null }));
  });
  // What is said after a tool's output comes later: the tool was declined, or the words were waiting for its end.
  const last = parts.findLast((part) => part.role === "assistant" || part.type === "tool_result" || saidIn(part).length > 0);
  const toolOutput = last?.type === "tool_result" ? textOf(last.content) : null;
  return {
    threadId: http.headers.get("x-claude-code-session-id") ?? "",
    input,
    userTexts: parts.flatMap(saidIn),
    toolOutput,
    printed: toolOutput,
    answered: parts.filter(({ type }) => type === "tool_result").length,
    signal: http.signal,
  };
}

const streamOf = (frames: AsyncGenerator<Uint8Array>) =>
  new ReadableStream<Uint8Array>({
    async pull(stream) {
      const { done, value } = await frames.next();
      if (done) stream.close();
      else stream.enqueue(value);
    },
  });

/** Serves `script` on a free loopback port until it is stopped. Requests aside, for titles and the like, are answered with `ok`. */
export function scriptedMessages(script: MessagesScript): ScriptedModel {
  let count = 0;
  const respond = async (http: Request): Promise<Response> => {
    const body: unknown = await http.json();
    if (!isObject(body)) return refusal(400, "invalid_request_error", "no object");
    count += 1;
    const id = String(count).padStart(6, "0");
    const isAside = !Array.isArray(body.tools) || body.tools.length === 0;
    const given: MessagesAnswer = isAside ? [{ say: "ok" }] : await script(readRequest(http, body));
    if (given instanceof Response) return given;
    return new Response(streamOf(answer(given, id, body.model ?? null)), { headers: { "content-type": "text/event-stream" } });
  };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    routes: {
      "/v1/messages": { POST: respond },
      "/v1/messages/count_tokens": { POST: () => Response.json({ input_tokens: 100 }) },
    },
    fetch: () => new Response("not here", { status: 404 }),
  });
  return { url: `http://127.0.0.1:${server.port}`, stop: () => server.stop(true) };
}
