/** What a Codex app-server says, read into the port's terms, and answers in its own (`app-server generate-ts` of 0.169.0 and 0.171.0). */
import type { AgentAsk, AskAnswer, AskChoice, ServedConversation, ServedEvent, ServedTurn } from "../agent/protocol.ts";
import { compactJson, isObject, type Json, type JsonObject } from "../json.ts";

const text = (value: unknown): string | null => (typeof value === "string" ? value : null);

/** When a thread began: its id is a UUID of version 7. */
const begunAt = (threadId: string): number => Number.parseInt(threadId.replaceAll("-", "").slice(0, 12), 16) || 0;

/** Whether one thread is no older than the other: ids grow with time. */
export const isNoOlder = (threadId: string, than: string): boolean => threadId >= than;

/** A thread as the server has it; null when no person can have it in front: hidden (it makes titles) or a helper's. */
export function readConversation(thread: unknown): ServedConversation | null {
  if (!isObject(thread) || typeof thread.id !== "string" || thread.ephemeral === true) return null;
  if (typeof thread.parentThreadId === "string" || (isObject(thread.source) && "subAgent" in thread.source)) return null;
  const status = isObject(thread.status) ? thread.status : {};
  const flags = Array.isArray(status.activeFlags) ? status.activeFlags : [];
  return {
    id: thread.id,
    path: text(thread.path),
    cwd: text(thread.cwd),
    begunAt: begunAt(thread.id),
    drawn: thread.threadSource === "user",
    state: status.type === "active" ? "active" : status.type === "systemError" ? "broken" : "idle",
    waits: flags.includes("waitingOnApproval") ? "approval" : flags.includes("waitingOnUserInput") ? "answer" : null,
  };
}

const TURN_STATES = { inProgress: "running", completed: "completed", interrupted: "interrupted", failed: "failed" } as const;

export function readTurn(turn: unknown): ServedTurn | null {
  if (!isObject(turn) || typeof turn.id !== "string") return null;
  return { id: turn.id, status: TURN_STATES[turn.status as keyof typeof TURN_STATES] ?? "failed" };
}

const storedWindow = (window: Json | undefined): JsonObject | null =>
  isObject(window)
    ? { used_percent: window.usedPercent ?? null, window_minutes: window.windowDurationMins ?? null, resets_at: window.resetsAt ?? null }
    : null;

/** As a rollout has them: the same under other names. */
const storedLimits = ({ limitId, primary, secondary }: JsonObject): JsonObject => ({
  limit_id: limitId ?? null,
  primary: storedWindow(primary),
  secondary: storedWindow(secondary),
});

/** What a notification means to us; null: nothing. */
export function readNotice(method: string, params: JsonObject): ServedEvent | null {
  const threadId = text(params.threadId);
  switch (method) {
    case "turn/started":
    case "turn/completed": {
      const turn = readTurn(params.turn);
      return threadId === null || turn === null ? null : { kind: "turn", threadId, turn };
    }
    case "thread/started": {
      const conversation = readConversation(params.thread);
      return conversation === null ? null : { kind: "began", threadId: conversation.id };
    }
    case "thread/reverted":
      return threadId === null ? null : { kind: "rewound", threadId };
    case "thread/compacted":
      return threadId === null ? null : { kind: "compacted", threadId };
    case "item/completed": {
      // Of what began before it followed a client is not told the end: what it asked about has to be read in the record (0.169.0, 0.171.0).
      const item = isObject(params.item) ? params.item : {};
      return threadId !== null && item.type === "contextCompaction" ? { kind: "compacted", threadId } : null;
    }
    case "serverRequest/resolved":
      return threadId === null ? null : { kind: "answered", threadId, requestId: JSON.stringify(params.requestId) };
    // An accident of a thread's being resumed, by us too: no more than a hint that the person may have gone there.
    case "thread/goal/cleared":
      return threadId === null ? null : { kind: "taken up", threadId };
    case "thread/status/changed":
      return threadId !== null && isObject(params.status) && params.status.type === "idle"
        ? { kind: "rests", threadId }
        : { kind: "news", threadId };
    case "account/rateLimits/updated":
      return { kind: "limits", limits: storedLimits(isObject(params.rateLimits) ? params.rateLimits : {}) };
    case "thread/closed":
    case "thread/tokenUsage/updated":
      return { kind: "news", threadId };
    default:
      return null;
  }
}

const YES_NO: readonly AskChoice[] = [
  { word: "yes", label: "yes, this once" },
  { word: "no", label: "no" },
];

interface Asking {
  readonly kind: AgentAsk["kind"];
  ask(params: JsonObject): Pick<AgentAsk, "question" | "command" | "choices" | "takesText">;
  /** The result that says so. */
  result(params: JsonObject, answer: AskAnswer): unknown;
}

const decision = (_params: JsonObject, answer: AskAnswer): unknown => ({
  decision: "choice" in answer && answer.choice === 0 ? "accept" : "decline",
});

const questionsOf = (params: JsonObject): JsonObject[] => (Array.isArray(params.questions) ? params.questions.filter(isObject) : []);
const optionsOf = (question: JsonObject | undefined): JsonObject[] =>
  question !== undefined && Array.isArray(question.options) ? question.options.filter(isObject) : [];

/** What a server asks its clients, by method. What is not named here is left to whoever sits at the terminal. */
const ASKS: Readonly<Record<string, Asking>> = {
  "item/commandExecution/requestApproval": {
    kind: "command",
    ask: (params) => ({
      question: text(params.command) === null ? "may it go on? What would be run, only its terminal shows" : "may it run this command?",
      command: text(params.command),
      choices: YES_NO,
      takesText: false,
    }),
    result: decision,
  },
  "item/fileChange/requestApproval": {
    kind: "file",
    ask: (params) => ({
      // The files are told when the step begins, and not here.
      question:
        text(params.grantRoot) === null
          ? "may it change files? Which ones, only its terminal shows"
          : `may it write below ${text(params.grantRoot)}?`,
      command: null,
      choices: YES_NO,
      takesText: false,
    }),
    result: decision,
  },
  "item/permissions/requestApproval": {
    kind: "permission",
    ask: (params) => ({
      question: `may it have these permissions for this turn: ${compactJson(params.permissions ?? null)}?`,
      command: null,
      choices: YES_NO,
      takesText: false,
    }),
    result: (params, answer) => ({
      permissions: "choice" in answer && answer.choice === 0 ? params.permissions : {},
      scope: "turn",
    }),
  },
  "item/tool/requestUserInput": {
    kind: "question",
    ask: (params) => {
      const [first] = questionsOf(params);
      return {
        question: text(first?.question) ?? "it asks something",
        command: null,
        choices: optionsOf(first).map((option) => ({
          word: text(option.label) ?? "",
          label: text(option.description) ?? text(option.label) ?? "",
        })),
        takesText: first !== undefined && (first.isOther === true || optionsOf(first).length === 0),
      };
    },
    result: (params, answer) => {
      const [first] = questionsOf(params);
      const said = "text" in answer ? answer.text : (text(optionsOf(first)[answer.choice]?.label) ?? "");
      return { answers: { [text(first?.id) ?? ""]: { answers: [said] } } };
    },
  },
  "mcpServer/elicitation/request": {
    kind: "form",
    ask: (params) => ({
      question: text(params.message) ?? `${text(params.serverName) ?? "a tool server"} asks something`,
      command: null,
      // What a form wants to have filled in is for a person at the terminal; it can be refused from anywhere.
      choices: [{ word: "no", label: "decline" }],
      takesText: false,
    }),
    result: () => ({ action: "decline", content: null, _meta: null }),
  },
};

/** A request of the server's as something that waits for an answer; null when it is none that a person decides. */
export function readAsk(id: unknown, method: string, params: JsonObject): AgentAsk | null {
  const asking = ASKS[method];
  const threadId = text(params.threadId);
  if (asking === undefined || threadId === null) return null;
  // Several questions at once are a form: they are answered where they can be seen together.
  if (asking.kind === "question" && questionsOf(params).length !== 1) return null;
  return {
    requestId: JSON.stringify(id),
    threadId,
    turnId: text(params.turnId),
    itemId: text(params.itemId),
    kind: asking.kind,
    cwd: text(params.cwd),
    reason: text(params.reason),
    raw: { method, params },
    ...asking.ask(params),
  };
}

/** The result that answers it so, as the server takes it. */
export function answerTo(ask: AgentAsk, answer: AskAnswer): unknown {
  const { method, params } = ask.raw as { method: string; params: JsonObject };
  return ASKS[method]!.result(params, answer);
}
