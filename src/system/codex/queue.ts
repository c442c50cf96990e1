/** Codex's own queue of a thread, over the JSON-RPC of a short-lived `codex app-server`: a live session takes the message up by itself. */
import type { QueueAnswer } from "../../core/agent/machine.ts";
import { isObject, type JsonObject } from "../../core/json.ts";
import type { Env } from "../processes/environment.ts";
import { type Program, startProgram } from "../processes/run.ts";

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

/**
 * Starts a server for one errand and ends it afterwards, with all that it started: `codex` may be a script around the program, and deaf to
 * being asked. A server that cannot be started or does not greet is a refusal.
 */
async function withAppServer<T>(codex: string, env: Env, errand: (call: Call) => Promise<QueueAnswer<T>>): Promise<QueueAnswer<T>> {
  let program: Program;
  try {
    program = startProgram([codex, "app-server"], { env, stdin: "pipe", stdout: "pipe" });
  } catch (error) {
    return { error: (error as Error).message };
  }
  const answers = new Answers(program);
  let id = 0;
  const call: Call = async (method, params) => {
    id += 1;
    const answer = await answers.to(id, { jsonrpc: "2.0", id, method, params });
    if (answer === null) throw new Error(`codex app-server gave no answer to ${method}`);
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
    answers.say({ jsonrpc: "2.0", method: "initialized" });
    return await errand(call);
  } finally {
    answers.close();
    await program.end();
  }
}

const LAST_WORDS_MS = 200;
/** A line longer than this, or so much in all, is no answer. */
const MOST_CHARACTERS = 8 << 20;

/** The conversation with a server: what is asked, and the answers to it, until it ends, floods or the time is up. */
class Answers {
  private readonly waiting = new Map<number, (answer: JsonObject) => void>();
  private readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  private readonly input: Bun.FileSink;
  private readonly timer: Timer;
  private readonly ended: Promise<null>;

  constructor(program: Program) {
    this.reader = (program.child.stdout as ReadableStream<Uint8Array>).getReader();
    this.input = program.child.stdin as Bun.FileSink;
    let over = (): void => {};
    this.ended = new Promise((resolve) => (over = () => resolve(null)));
    this.timer = setTimeout(over, LIMIT_MS);
    // What it said last is still read.
    void program.exited.then(() => setTimeout(over, LAST_WORDS_MS).unref());
    void this.read()
      .catch(() => {})
      .then(over);
  }

  /** The answer of this id; null when none will come. */
  async to(id: number, message: JsonObject): Promise<JsonObject | null> {
    const answered = new Promise<JsonObject>((resolve) => this.waiting.set(id, resolve));
    this.say(message);
    return Promise.race([answered, this.ended]);
  }

  /** Never waits: a server that does not read must not hold us up. */
  say(message: JsonObject): void {
    try {
      this.input.write(`${JSON.stringify(message)}\n`);
      void Promise.resolve(this.input.flush()).catch(() => {});
    } catch {
      // It is gone, which its end tells.
    }
  }

  private async read(): Promise<void> {
    const decoder = new TextDecoder();
    let [rest, characters] = ["", 0];
    for (;;) {
      const { done, value } = await this.reader.read();
      if (done) return;
      const text = decoder.decode(value, { stream: true });
      characters += text.length;
      if (characters > MOST_CHARACTERS) return;
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const message = parse(line);
        if (message === null || typeof message.id !== "number" || message.method !== undefined) continue;
        this.waiting.get(message.id)?.(message);
        this.waiting.delete(message.id);
      }
    }
  }

  close(): void {
    clearTimeout(this.timer);
    void this.reader.cancel().catch(() => {});
    try {
      void Promise.resolve(this.input.end()).catch(() => {});
    } catch {
      // It is gone.
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
