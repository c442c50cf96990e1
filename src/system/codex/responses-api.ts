/** A Responses API on loopback that a script answers instead of a model: the real Codex can be run without an account. */
import type { ModelItem, ModelRequest, ModelScript, ScriptedModel } from "../../core/agent/scripted-model.ts";
import { isObject, type Json, type JsonObject } from "../../core/json.ts";

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
  const isOutput = ({ type }: JsonObject) => type === "function_call_output" || type === "custom_tool_call_output";
  const last = input.findLast((item) => item.role === "assistant" || isOutput(item));
  const toolOutput = last === undefined || last.role === "assistant" ? null : textOf(last.output);
  // How long it took and how it ended stand above what it printed.
  const printed = toolOutput?.split("Output:\n").slice(1).join("Output:\n") ?? null;
  return { threadId, input, userTexts, toolOutput, printed, answered: input.filter(isOutput).length, signal };
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
export function scriptedResponses(script: ModelScript): ScriptedModel {
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
