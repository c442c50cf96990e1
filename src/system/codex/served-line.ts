/**
 * A second client of a session's own Codex app-server: JSON-RPC in WebSocket frames over a unix socket. The experimental part of the
 * protocol is left off: all that is used here works without it (0.169.0, 0.171.0).
 */
import { existsSync, lstatSync, readlinkSync, realpathSync, rmSync } from "node:fs";
import {
  type AgentAsk,
  type AskAnswer,
  NoAnswer,
  type Served,
  type ServedConversation,
  type ServedEvent,
  type ServedLine,
  type ServedTurn,
  type TakenUp,
} from "../../core/agent/protocol.ts";
import { answerTo, isNoOlder, readAsk, readConversation, readNotice, readTurn } from "../../core/codex/served.ts";
import { isObject, type JsonObject } from "../../core/json.ts";

/** A server that is asked for less than this has hung. */
const ANSWER_MS = 8000;
const CONNECT_MS = 10_000;

/**
 * Connects and greets.
 * @param socket where the server was told to listen: Codex makes a link of it to a shorter path, which is what a socket's address can hold
 * @throws NoAnswer when it does not greet within the time
 * @throws Error when nobody listens there
 */
export async function connectServed(socket: string, limitMs = CONNECT_MS): Promise<ServedLine> {
  if (!existsSync(socket)) throw new Error("its socket is not there");
  const line = new CodexLine(new WebSocket(`ws+unix://${realpathSync(socket)}`), limitMs);
  try {
    await line.open;
    const greeting = await line.call("initialize", { clientInfo: { name: "conveyor", title: null, version: "1" } }, limitMs);
    if ("refused" in greeting) throw new Error(greeting.refused);
    line.tell("initialized");
    return line;
  } catch (error) {
    line.close();
    throw error;
  }
}

/**
 * What the link leads to, in `/tmp/codex-daemon-UID`, stays there for good after a server that was killed, and so does the lock beside it
 * (0.169.0, 0.171.0). Whatever is no socket is somebody else's and stays.
 */
export function clearServed(socket: string): void {
  let place: string;
  try {
    place = readlinkSync(socket);
    if (!lstatSync(place).isSocket()) return;
  } catch {
    // The server has done it itself.
    return;
  }
  for (const file of [place, `${place}.lock`, socket]) rmSync(file, { force: true });
}

/** Modes of the sandbox as the server names them in an answer, and as everywhere else. */
const SANDBOXES: Readonly<Record<string, string>> = {
  dangerFullAccess: "danger-full-access",
  workspaceWrite: "workspace-write",
  readOnly: "read-only",
};

const input = (text: string): JsonObject[] => [{ type: "text", text, text_elements: [] }];

class CodexLine implements ServedLine {
  readonly open: Promise<void>;
  readonly ended: Promise<void>;
  private readonly waiting = new Map<number, (answer: JsonObject | null) => void>();
  private readonly listeners: ((event: ServedEvent) => void)[] = [];
  private last = 0;

  /** @param limitMs for the connection, and for where its conversations stand: the first things that anybody asks. */
  constructor(
    private readonly socket: WebSocket,
    private readonly limitMs: number,
  ) {
    let over = (): void => {};
    this.ended = new Promise((resolve) => (over = resolve));
    this.open = new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new NoAnswer(`it does not answer within ${limitMs / 1000} s`)), limitMs);
      const settle = (act: () => void) => (): void => {
        clearTimeout(timer);
        act();
      };
      socket.onopen = settle(resolve);
      socket.onerror = settle(() => reject(new Error("nobody answers there")));
      socket.onclose = settle(() => {
        reject(new Error("the connection was closed"));
        for (const answered of this.waiting.values()) answered(null);
        this.waiting.clear();
        over();
      });
    });
    // Nobody may have to wait for it to have it not reported as unhandled.
    this.open.catch(() => {});
    socket.onmessage = ({ data }) => this.take(String(data));
  }

  private take(data: string): void {
    let message: unknown;
    try {
      message = JSON.parse(data);
    } catch {
      return;
    }
    if (!isObject(message)) return;
    const { id, method } = message;
    const params = isObject(message.params) ? message.params : {};
    if (typeof method !== "string") {
      if (typeof id !== "number") return;
      this.waiting.get(id)?.(message);
      this.waiting.delete(id);
      return;
    }
    const ask = id === undefined ? null : readAsk(id, method, params);
    const event = ask === null ? readNotice(method, params) : ({ kind: "asks", ask } as const);
    if (event !== null) for (const listener of this.listeners) listener(event);
  }

  /** @throws NoAnswer when none came in time, @throws Error when the connection has ended: nothing is known of the outcome */
  async call(method: string, params: JsonObject, limitMs = ANSWER_MS): Promise<Served<JsonObject>> {
    const id = ++this.last;
    const answer = await new Promise<JsonObject | null>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(id);
        reject(new NoAnswer(`no answer to ${method} within ${limitMs / 1000} s`));
      }, limitMs);
      this.waiting.set(id, (message) => {
        clearTimeout(timer);
        resolve(message);
      });
      if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ id, method, params }));
      else this.waiting.get(id)!(null);
    });
    this.waiting.delete(id);
    if (answer === null) throw new Error(`the connection ended before an answer to ${method}`);
    if (isObject(answer.error)) return { refused: String(answer.error.message ?? `it refused ${method}`) };
    return { value: isObject(answer.result) ? answer.result : {} };
  }

  tell(method: string): void {
    this.socket.send(JSON.stringify({ method }));
  }

  async conversationsSince(since: string): Promise<ServedConversation[]> {
    const ids: string[] = [];
    for (let cursor: string | null = null; ;) {
      const loaded: Served<JsonObject> = await this.call("thread/loaded/list", cursor === null ? {} : { cursor }, this.limitMs);
      if ("refused" in loaded) throw new Error(loaded.refused);
      ids.push(...(Array.isArray(loaded.value.data) ? loaded.value.data.map(String) : []).filter((id) => isNoOlder(id, since)));
      cursor = typeof loaded.value.nextCursor === "string" ? loaded.value.nextCursor : null;
      if (cursor === null) break;
    }
    const found = await Promise.all(ids.sort().map((id) => this.conversation(id)));
    return found.filter((one) => one !== null);
  }

  async conversation(id: string): Promise<ServedConversation | null> {
    const read = await this.call("thread/read", { threadId: id, includeTurns: false }, this.limitMs);
    return "refused" in read ? null : readConversation(read.value.thread);
  }

  async follow(id: string): Promise<Served<ServedConversation | null>> {
    const resumed = await this.call("thread/resume", { threadId: id, excludeTurns: true });
    return "refused" in resumed ? resumed : { value: readConversation(resumed.value.thread) };
  }

  async say(id: string, text: string, clientId: string): Promise<Served<string>> {
    const started = await this.call("turn/start", { threadId: id, clientUserMessageId: clientId, input: input(text) });
    return "refused" in started ? started : { value: readTurn(started.value.turn)?.id ?? "" };
  }

  async steer(id: string, turnId: string, text: string, clientId: string): Promise<Served<string>> {
    const params = { threadId: id, expectedTurnId: turnId, clientUserMessageId: clientId, input: input(text) };
    const steered = await this.call("turn/steer", params);
    return "refused" in steered ? steered : { value: String(steered.value.turnId ?? turnId) };
  }

  async newestTurn(id: string): Promise<ServedTurn | null> {
    const params = { threadId: id, limit: 1, sortDirection: "desc", itemsView: "notLoaded" };
    const turns = await this.call("thread/turns/list", params);
    return "refused" in turns || !Array.isArray(turns.value.data) ? null : readTurn(turns.value.data[0]);
  }

  async interrupt(id: string, turnId: string): Promise<Served<null>> {
    const done = await this.call("turn/interrupt", { threadId: id, turnId });
    return "refused" in done ? done : { value: null };
  }

  async compact(id: string): Promise<Served<null>> {
    const done = await this.call("thread/compact/start", { threadId: id });
    return "refused" in done ? done : { value: null };
  }

  async takeUp(id: string, { cwd, sandbox, approval, model, effort }: TakenUp): Promise<string | null> {
    const config = effort === null ? null : { model_reasoning_effort: effort };
    const wanted = { cwd, sandbox, approvalPolicy: approval, model, config };
    const resumed = await this.call("thread/resume", { threadId: id, excludeTurns: true, ...wanted });
    if ("refused" in resumed) return `its server refused to take up the conversation: ${resumed.refused}`;
    const { sandbox: policy, approvalPolicy, model: used, reasoningEffort } = resumed.value;
    const mode = isObject(policy) ? SANDBOXES[String(policy.type)] : undefined;
    const same =
      mode === sandbox && approvalPolicy === approval && used === (model ?? used) && reasoningEffort === (effort ?? reasoningEffort);
    return same ? null : "its server took up the conversation with other permissions, or another model, than it was to have";
  }

  answer(ask: AgentAsk, answer: AskAnswer): void {
    this.socket.send(JSON.stringify({ id: JSON.parse(ask.requestId), result: answerTo(ask, answer) }));
  }

  async reachableFromTools(cwd: string, sandbox: string | null): Promise<boolean | null> {
    if (sandbox !== null && sandbox !== "workspace-write") return false;
    const read = await this.call("config/read", { cwd, includeLayers: false }, this.limitMs);
    if ("refused" in read || !isObject(read.value.config)) return null;
    const { sandbox_mode: mode, default_permissions: profile, sandbox_workspace_write: writes } = read.value.config;
    // In a folder that is trusted workspace-write is what it does where nothing is set; a profile of permissions has rules of its own.
    if (sandbox === null && profile != null) return null;
    if (sandbox === null && mode != null && mode !== "workspace-write") return false;
    return isObject(writes) && writes.network_access === true;
  }

  hear(listener: (event: ServedEvent) => void): void {
    this.listeners.push(listener);
  }

  close(): void {
    this.socket.close();
  }
}
