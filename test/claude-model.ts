/** What the model of Claude Code does in tests: it answers each message by its first word. */
import type { JsonObject } from "../src/core/json.ts";
import type { ModelRequest } from "../src/core/agent/scripted-model.ts";
import { PlainModel } from "./codex-world.ts";
import { type MessagesAnswer, type MessagesItem, type MessagesScript, frame, opening, refusal } from "../src/system/claude/messages-api.ts";

/** An answer whose connection is lost in the middle. */
function cutOff(): Response {
  const begun = [
    opening("msg_cut", "scripted"),
    frame("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
    frame("content_block_delta", { index: 0, delta: { type: "text_delta", text: "half an ans" } }),
  ];
  const body = new ReadableStream<Uint8Array>({
    pull(stream) {
      const next = begun.shift();
      // Without a reason, which would be printed.
      if (next === undefined) stream.error();
      else stream.enqueue(next);
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

/** A spent limit, as a subscription has one and a key has none. @param resetsAt second of the epoch at which it is full again */
const spent = (resetsAt: number): Response =>
  refusal(429, "rate_limit_error", "This request would exceed your account's rate limit.", {
    "retry-after": "3600",
    "anthropic-ratelimit-unified-status": "rejected",
    "anthropic-ratelimit-unified-representative-claim": "five_hour",
    "anthropic-ratelimit-unified-reset": String(resetsAt),
  });

/** By the name of what goes wrong. */
const failures: Readonly<Record<string, () => Response>> = {
  // With a long wait the client does not try again, whatever it is told of tries.
  "429": () => refusal(429, "rate_limit_error", "too many requests", { "retry-after": "3600" }),
  "529": () => refusal(529, "overloaded_error", "overloaded"),
  "503": () => refusal(503, "api_error", "unavailable"),
  "500": () => refusal(500, "api_error", "an error inside"),
  "401": () => refusal(401, "authentication_error", "invalid x-api-key"),
  "400": () => refusal(400, "invalid_request_error", "no such thing"),
  "404": () => refusal(404, "not_found_error", "no such model"),
  context: () => refusal(400, "invalid_request_error", "prompt is too long: 300000 tokens > 200000 maximum"),
  cut: cutOff,
};

const PLANS = "/plans/";

/** Where its plan is to be written: in plan mode it is told, and may write that file alone. */
const planFile = ({ input }: ModelRequest): string => /\/[^\s"]*\/plans\/[\w-]+\.md/.exec(JSON.stringify(input))?.[0] ?? "";

const question: JsonObject = {
  question: "Which colour shall it have?",
  header: "Colour",
  multiSelect: false,
  options: [
    { label: "Red", description: "a red one" },
    { label: "Blue", description: "a blue one" },
  ],
};

/** Beside its choices a picture of each is shown. */
const withPreviews: JsonObject = {
  question: "Which layout shall it have?",
  header: "Layout",
  multiSelect: false,
  options: [
    { label: "Wide", description: "a wide one", preview: "+--------+\n| ❯ 1. No |\n+--------+" },
    { label: "Narrow", description: "a narrow one", preview: "+--+\n|  |\n+--+" },
    { label: "None", description: "no layout" },
  ],
};

/** Says something, so that the turn has output, and then what the rest comes to. */
async function* begun(rest: Iterable<MessagesItem> | Promise<Iterable<MessagesItem>>): AsyncGenerator<MessagesItem> {
  yield { say: "I begin." };
  yield* await rest;
}

/**
 * Answers `run CMD`, `ask CMD` and `long-command` with that command (whether Claude asks first is a matter of its mode), `write PATH` with a new file,
 * `question`, `question previews`, `fetch URL` and `plan` by asking, `long N` with so many lines, `fail NAME` as NAME says, `hold NAME` by waiting in the middle of a turn and
 * `silence NAME` before its first output until it is released, anything else with `ok`.
 */
export class ClaudeModel extends PlainModel {
  /** Second of the epoch at which the limit that `fail limit` has spent is full again. */
  resetsAt = Math.floor(Date.now() / 1000) + 3600;

  /** What `long-command` runs. */
  longCommand = "";

  readonly messages: MessagesScript = (request): MessagesAnswer | Promise<MessagesAnswer> => {
    const [, verb = "", rest = ""] = /^(\S+) ?(.*)$/m.exec(request.userTexts.at(-1) ?? "") ?? [];
    const answered = (words: string) => this.script({ ...request, userTexts: [words] });
    if (request.toolOutput?.includes(PLANS)) return [{ tool: "ExitPlanMode", input: {} }];
    if (request.toolOutput !== null) return this.script(request);
    switch (verb) {
      case "hold":
        return begun(this.script(request));
      case "silence":
        return answered(`hold ${rest}`);
      case "ask":
        return answered(`run ${rest}`);
      default:
        return this.other(verb, rest, request);
    }
  };

  private other(verb: string, rest: string, request: ModelRequest): MessagesAnswer | Promise<MessagesAnswer> {
    const done = (answer: MessagesAnswer): MessagesAnswer => {
      this.requests.push(request);
      return answer;
    };
    switch (verb) {
      case "write":
        return done([{ tool: "Write", input: { file_path: rest, content: "written\n" } }]);
      case "long-command":
        return done([{ run: this.longCommand }]);
      case "question":
        return done([{ tool: "AskUserQuestion", input: { questions: [rest === "previews" ? withPreviews : question] } }]);
      case "fetch":
        return done([{ tool: "WebFetch", input: { url: rest, prompt: "what does it say" } }]);
      case "plan":
        return done([
          { tool: "Write", input: { file_path: planFile(request), content: "# Plan\n\n1. Do the first thing\n2. Do the second\n" } },
        ]);
      case "long":
        return done([{ say: Array.from({ length: Number(rest) }, (_, index) => `line ${index + 1}`).join("\n\n") }]);
      case "fail":
        return done(rest === "limit" ? spent(this.resetsAt) : failures[rest]!());
      default:
        return this.script(request);
    }
  }
}
