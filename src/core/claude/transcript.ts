/** The lines of a Claude Code transcript as the records that are stored of them, and what its first line tells. */
import type { TranscriptHead, TranscriptMemory } from "../agent/agent.ts";
import type { AgentRecord } from "../agent/record.ts";
import { isObject, type Json, type JsonObject } from "../json.ts";
import { knownKinds } from "./kinds.ts";
import {
  blocksOf,
  countsOf,
  failureOf,
  isRequest,
  isSide,
  MARK,
  saidBy,
  saidLine,
  spentLimit,
  sumOf,
  textOf,
  turnIndex,
  userKind,
} from "./lines.ts";
import type { Memory } from "./memory.ts";

function parsed(line: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) && typeof value.type === "string" ? value : null;
  } catch {
    return null;
  }
}

/**
 * The records that are stored of one line, in order.
 * @param memory one of `remember`
 * @returns null for what is no record; none for the requests to the model and for what a sub-agent says to itself
 */
export function translate(line: string, memory: TranscriptMemory): readonly AgentRecord[] | null {
  if (isRequest(line)) return [];
  const value = parsed(line);
  if (value === null) return null;
  if (isSide(value)) return [];
  const lines = new Translation(value, memory as Memory);
  lines.translate();
  return lines.records;
}

class Translation {
  readonly records: AgentRecord[] = [];
  private readonly said;
  private readonly timestamp: string | null;
  constructor(
    private readonly line: JsonObject,
    private readonly memory: Memory,
  ) {
    this.said = saidLine(line);
    this.timestamp = textOf(line.timestamp);
  }

  translate(): void {
    const { line, memory } = this;
    if (!memory.begun && textOf(line.sessionId) !== null) this.add("session_meta", metaOf(line));
    if (line.type === "user") this.user();
    else if (line.type === "assistant") this.assistant();
    else if (line.type === "attachment") this.attachment(isObject(line.attachment) ? line.attachment : {});
    else if (line.type === "system") this.system();
    else this.item(String(line.type), line.type === "queue-operation" ? { operation: line.operation ?? null } : {});
  }

  /** Where the record comes from, and what is above it. */
  private source(more: JsonObject = {}): JsonObject {
    const { uuid, parent } = this.said;
    return { type: this.line.type!, ...(uuid === null ? {} : { uuid }), ...(parent === null ? {} : { parent }), ...more };
  }

  private add(type: string, payload: JsonObject, subtype: string | null = null): void {
    const record = { type, subtype, payload, timestamp: this.timestamp };
    this.memory.see(record);
    this.records.push(record);
  }

  private event(subtype: string, payload: JsonObject, source: JsonObject = {}): void {
    this.add("event_msg", { type: subtype, ...payload, claude: this.source(source) }, subtype);
  }

  private item(kind: string, payload: JsonObject): void {
    this.add("response_item", { type: kind, ...payload, claude: this.source() });
  }

  private get turnId(): string | null {
    return this.memory.turn?.id ?? null;
  }

  private user(): void {
    const kind = userKind(this.line);
    if (kind === "start") this.start();
    else if (kind === "mark" && this.endsTurn()) this.event("turn_aborted", { turn_id: this.turnId, reason: "interrupted" });
    else this.item(`user/${kind}`, { content: contentOf(this.said.message), ...(kind === "tool_result" ? decisionIn(this.line) : {}) });
  }

  /** A mark without a turn belongs to a command of the composer's, and that of an overtaken turn was told when that was overtaken. */
  private endsTurn(): boolean {
    const { memory, said, line } = this;
    return memory.turn !== null && !memory.isLate(said.parent, textOf(line.interruptedMessageId));
  }

  private start(): void {
    const { memory, line, said } = this;
    const words = saidBy(line);
    const index = turnIndex(line);
    if (!memory.isBatch(said.parent, index)) {
      const source: JsonObject = { origin: line.turnOrigin ?? null, ...(index === null ? {} : { turn_index: index }) };
      if (memory.turn) {
        Object.assign(source, { overtakes: true, message_id: memory.counted, unmarked: memory.hangsBelow(said.parent) });
        this.event("turn_aborted", { turn_id: this.turnId, reason: "interrupted" });
      }
      this.event("task_started", { turn_id: textOf(line.promptId) }, source);
    }
    if (words === null) this.item("user/start", { content: contentOf(said.message) });
    else this.event("user_message", { message: words.text, client_id: words.clientId, turn_id: this.turnId });
  }

  private attachment(attachment: JsonObject): void {
    const words = attachment.type === "queued_command" ? saidBy(attachment) : null;
    if (words !== null) this.event("user_message", { message: words.text, client_id: words.clientId, turn_id: this.turnId });
    else this.item(`attachment/${textOf(attachment.type) ?? ""}`, {});
  }

  private assistant(): void {
    const { line, memory, said } = this;
    const failure = failureOf(line);
    if (failure !== null) {
      const limits = spentLimit(line);
      const info = { total_token_usage: { ...memory.tokens } };
      if (limits !== null) this.event("token_count", { info, rate_limits: limits }, { message_id: memory.counted });
      this.event("task_complete", { turn_id: this.turnId, last_agent_message: null, error: failure });
      return;
    }
    this.count();
    for (const block of blocksOf(said.message)) {
      if (block.type !== "text") this.item(`assistant/${textOf(block.type) ?? ""}`, { content: block });
      else if (typeof block.text === "string") this.event("agent_message", { message: block.text, turn_id: this.turnId });
    }
    // Without a terminal no other line ends a turn. Its last block is a text.
    const isLast = said.message.stop_reason === "end_turn" && blocksOf(said.message).at(-1)?.type === "text";
    if (line.entrypoint === "sdk-cli" && isLast && memory.turn !== null) this.complete({});
  }

  /** Each message of the model is written block by block, with the same counts. */
  private count(): void {
    const { memory, said } = this;
    const id = textOf(said.message.id);
    const counts = countsOf(said.message.usage);
    if (counts === null || id === null || id === memory.counted || said.message.model === "<synthetic>") return;
    const info = { total_token_usage: { ...sumOf(memory.tokens, counts) }, last_token_usage: { ...counts } };
    this.event("token_count", { info }, { message_id: id });
  }

  private complete(more: JsonObject): void {
    this.event("task_complete", { turn_id: this.turnId, last_agent_message: this.memory.turn?.lastText ?? null, ...more });
  }

  private system(): void {
    const { line } = this;
    if (line.subtype === "turn_duration") this.complete({ duration_ms: typeof line.durationMs === "number" ? line.durationMs : null });
    else this.item(`system/${textOf(line.subtype) ?? ""}`, typeof line.content === "string" ? { content: line.content } : {});
  }
}

/** What was decided about a call: that it may not be made, or what its questions were answered. */
function decisionIn({ toolDenialKind: denied, toolUseResult: result }: JsonObject): JsonObject {
  if (typeof denied === "string") return { denied };
  return isObject(result) && isObject(result.answers) && Array.isArray(result.questions) ? { answers: result.answers } : {};
}

const contentOf = (message: JsonObject): Json => message.content ?? null;

function metaOf(line: JsonObject): JsonObject {
  const { sessionId, cwd, entrypoint, version, timestamp } = line;
  return {
    id: textOf(sessionId),
    cwd: textOf(cwd),
    originator: textOf(entrypoint),
    cli_version: textOf(version),
    timestamp: textOf(timestamp),
  };
}

/** Reads the first line, which is a setting of the session more often than not; a text instead of a record says what is wrong with it. */
export function parseHead(line: string): TranscriptHead | string {
  if (line.trim() === "") return "it is empty";
  const value = parsed(line);
  if (value === null) return "its first line is no JSON object with a type";
  const id = textOf(value.sessionId);
  if (id === null) return `its first record, ${JSON.stringify(value.type)}, names no session`;
  return {
    id,
    cwd: textOf(value.cwd),
    timestamp: textOf(value.timestamp),
    originator: textOf(value.entrypoint),
    cliVersion: textOf(value.version),
    conversation: !isSide(value) && textOf(value.agentId) === null,
  };
}

const itemKind = ({ type, payload }: AgentRecord): string | null =>
  type === "response_item" && typeof payload.type === "string" ? payload.type : null;

/** Whether this version has heard of lines of this kind. What is stored as an event is known, or it would be none. */
export function isKnown(record: AgentRecord): boolean {
  const kind = itemKind(record);
  return kind === null || knownKinds.has(kind);
}

/** Name of a record for a report on records that no rule knows. */
export const recordName = (record: AgentRecord): string => itemKind(record) ?? record.subtype ?? record.type;

// Quotes inside a text are written with a backslash: only a line of its own kind has these words so.
const TURN = /"(?:turnOrigin|promptSource|isApiErrorMessage)":|"subtype":"turn_duration"|"entrypoint":"sdk-cli"/;

export const wakes = (line: string): boolean => !isRequest(line) && (TURN.test(line) || line.includes(MARK));
export const mayProve = (line: string): boolean =>
  !isRequest(line) && (line.includes('"promptSource":') || line.includes('"type":"queued_command"'));
export const mayAbort = (line: string): boolean => !isRequest(line) && line.includes(MARK);

/** Below some home, which may be anywhere: in the folder of a folder, by the id of the session. Sub-agents have theirs one folder below. */
const PATH = /^(.*)\/projects\/[^/]+\/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\.jsonl$/i;

export const isPath = (path: string): boolean => PATH.test(path);
export const homeOf = (path: string): string | null => PATH.exec(path)?.[1] ?? null;
