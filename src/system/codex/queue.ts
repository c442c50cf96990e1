/** Codex's own queue of a thread, over the JSON-RPC of a short-lived `codex app-server`: a live session takes the message up by itself. */
import type { QueueAnswer } from "../../core/agent/machine.ts";
import { isObject, type JsonObject } from "../../core/json.ts";
import { type Env, childEnv } from "../processes/child.ts";

const LIMIT_MS = 15_000;

type Call = (method: string, params: JsonObject) => Promise<QueueAnswer<JsonObject>>;

/**
 * Adds a text to the thread's queue under our own id, which then stands in the rollout beside it. Codex does not notice doubles: add once.
 * @returns the id of the queued item. A throw means that nothing is known about the outcome.
 */
export async function addToQueue(codex: string, env: Env, threadId: string, text: string, clientId: string): Promise<QueueAnswer<string>> {
  return withAppServer(codex, env, async (call) => {
    const answer = await call("thread/queue/add", { threadId, clientUserMessageId: clientId, input: [{ type: "text", text }] });
    if ("error" in answer) return answer;
    const item = answer.value.queuedSubmission;
    return { value: isObject(item) && typeof item.id === "string" ? item.id : "" };
  });
}

/** Takes an item back. True: it will never run. False: it was taken up already. */
export async function withdrawFromQueue(codex: string, env: Env, threadId: string, itemId: string): Promise<QueueAnswer<boolean>> {
  return withAppServer(codex, env, async (call) => {
    const answer = await call("thread/queue/delete", { threadId, queuedSubmissionId: itemId });
    return "error" in answer ? answer : { value: answer.value.deleted === true };
  });
}

/** Starts a server for one errand and ends it afterwards. A server that cannot be started or does not greet is a refusal. */
async function withAppServer<T>(codex: string, env: Env, errand: (call: Call) => Promise<QueueAnswer<T>>): Promise<QueueAnswer<T>> {
  const child = Bun.spawn([codex, "app-server"], { env: childEnv(env), stdin: "pipe", stdout: "pipe", stderr: "ignore" });
  const waiting = new Map<number, (answer: JsonObject) => void>();
  let gone = (): void => {};
  const ended = new Promise<void>((resolve) => (gone = resolve));
  const timer = setTimeout(() => gone(), LIMIT_MS);
  const reading = readAnswers(child.stdout, waiting).finally(() => gone());
  let id = 0;
  const call: Call = async (method, params) => {
    id += 1;
    const answered = new Promise<JsonObject>((resolve) => waiting.set(id, resolve));
    child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    await child.stdin.flush();
    const answer = await Promise.race([answered, ended]);
    if (answer === undefined) throw new Error(`codex app-server gave no answer to ${method}`);
    if (isObject(answer.error))
      return { error: `${method}: ${typeof answer.error.message === "string" ? answer.error.message : "refused"}` };
    return { value: isObject(answer.result) ? answer.result : {} };
  };
  try {
    const greeting = await call("initialize", {
      clientInfo: { name: "conveyor", version: "1" },
      capabilities: { experimentalApi: true },
    }).catch((error: Error) => ({ error: error.message }));
    if ("error" in greeting) return greeting;
    child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", method: "initialized" })}\n`);
    return await errand(call);
  } finally {
    clearTimeout(timer);
    child.kill();
    await reading;
  }
}

async function readAnswers(stream: ReadableStream<Uint8Array>, waiting: Map<number, (answer: JsonObject) => void>): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const message = parse(line);
      if (message === null || typeof message.id !== "number" || message.method !== undefined) continue;
      waiting.get(message.id)?.(message);
      waiting.delete(message.id);
    }
  }
}

function parse(line: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}
