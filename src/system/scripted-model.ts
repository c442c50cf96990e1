/** A Responses API on loopback that a script answers instead of a model: the real Codex can be run without an account. */
import { isObject, type Json, type JsonObject } from "../core/json.ts";

/** What the agent asks of its model. */
export interface ModelRequest {
  /** The thread that asks; a thread of its own may ask for a title. */
  readonly threadId: string;
  /** The conversation as it stands, oldest first. */
  readonly input: readonly JsonObject[];
  /** Everything the user said in this conversation, oldest first, without what the agent adds about its surroundings. */
  readonly userTexts: readonly string[];
  /** Output of the newest tool call, when the model has said nothing since; else null. */
  readonly toolOutput: string | null;
  /** Aborted when the client hangs up, as it does on an interrupt. */
  readonly signal: AbortSignal;
}

/** One thing a model may do: say something, or run a command with the agent's own tool. */
export type ModelItem = { readonly say: string } | { readonly run: string; readonly waitMs?: number; readonly escalate?: string };

/** Decides what the model does next; it may wait for as long as it likes. */
export type ModelScript = (request: ModelRequest) => ModelItem[] | Promise<ModelItem[]>;

export interface ScriptedModel {
  /** Base address for a provider table, `http://127.0.0.1:PORT/v1`. */
  readonly url: string;
  stop(): Promise<void>;
}

const textOf = (content: Json | undefined): string => {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part) => (isObject(part) && typeof part.text === "string" ? part.text : "")).join("\n");
};

function readRequest(threadId: string, body: JsonObject, signal: AbortSignal): ModelRequest {
  const input = Array.isArray(body.input) ? body.input.filter(isObject) : [];
  const userTexts = input
    .filter((item) => item.role === "user")
    .map((item) => textOf(item.content))
    .filter((text) => !text.startsWith("<"));
  const last = input.findLast(
    (item) => item.role === "assistant" || item.type === "function_call_output" || item.type === "custom_tool_call_output",
  );
  return { threadId, input, userTexts, toolOutput: last === undefined || last.role === "assistant" ? null : textOf(last.output), signal };
}

function wireItem(item: ModelItem, id: string): JsonObject {
  if ("say" in item) return { type: "message", role: "assistant", id: `msg_${id}`, content: [{ type: "output_text", text: item.say }] };
  const escalation: JsonObject =
    item.escalate === undefined ? {} : { sandbox_permissions: "require_escalated", justification: item.escalate };
  const call = { cmd: item.run, yield_time_ms: item.waitMs ?? 20_000, ...escalation };
  return { type: "function_call", id: `fc_${id}`, call_id: `call_${id}`, name: "exec_command", arguments: JSON.stringify(call) };
}

const usage = {
  input_tokens: 100,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 10,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 110,
};

/** Serves `script` on a free loopback port until it is stopped. */
export function scriptedModel(script: ModelScript): ScriptedModel {
  let count = 0;
  const respond = (request: ModelRequest): Response => {
    count += 1;
    const id = String(count);
    const encoder = new TextEncoder();
    const event = (type: string, data: JsonObject) => encoder.encode(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
    const body = new ReadableStream<Uint8Array>({
      async start(stream) {
        stream.enqueue(event("response.created", { response: { id: `resp_${id}` } }));
        const items = await script(request);
        // An interrupted client has closed the stream: there is nobody left to answer.
        if (request.signal.aborted) return;
        items.forEach((item, index) => {
          stream.enqueue(event("response.output_item.done", { output_index: index, item: wireItem(item, `${id}_${index}`) }));
        });
        stream.enqueue(event("response.completed", { response: { id: `resp_${id}`, usage } }));
        stream.close();
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    routes: {
      "/v1/models": () => Response.json({ models: [] }),
      "/v1/responses": {
        POST: async (http) => {
          const body: unknown = await http.json();
          return respond(readRequest(http.headers.get("thread-id") ?? "", isObject(body) ? body : {}, http.signal));
        },
      },
    },
    fetch: () => new Response("not here", { status: 404 }),
  });
  return { url: `http://127.0.0.1:${server.port}/v1`, stop: () => server.stop(true) };
}
