/** Lines of real transcripts as the records that are stored: each file whole, in one piece or cut anywhere. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { TranscriptMemory } from "../../../src/core/agent/agent.ts";
import { factsOf } from "../../../src/core/agent/facts.ts";
import { type AgentRecord, readFact } from "../../../src/core/agent/record.ts";
import { claude } from "../../../src/core/claude/claude.ts";
import { isObject, type JsonObject } from "../../../src/core/json.ts";
import { turnSign } from "../../../src/core/sessions/worker-state.ts";

const { transcript } = claude;
const folder = join(import.meta.dir, "../../fixtures/claude-code-2.1.332");
const names = readdirSync(join(folder, "transcripts")).sort();
const linesOf = (name: string) =>
  readFileSync(join(folder, "transcripts", name), "utf8")
    .trimEnd()
    .split("\n");

const translated = (lines: readonly string[], memory: TranscriptMemory): AgentRecord[] =>
  lines.flatMap((line) => [...(transcript.translate(line, memory) ?? [])]);
const whole = (lines: readonly object[]): AgentRecord[] =>
  translated(
    lines.map((line) => JSON.stringify(line)),
    transcript.remember([]),
  );

const short = (value: unknown): string => (typeof value === "string" ? value.slice(0, 8) : "-");
/** A record in one line, as it stands in the file of stories. */
function told({ type, subtype, payload }: AgentRecord): string {
  const fact = readFact({ type, subtype, payload, timestamp: null });
  switch (fact.kind) {
    case "session":
      return `session ${short(fact.id)} in ${fact.cwd ?? "-"}`;
    case "turn_started":
      return `started ${short(fact.turnId)}`;
    case "turn_completed": {
      const { turnId, durationMs, error, lastMessage } = fact;
      const end = error === null ? "completed" : `failed by ${error.kind}`;
      return `${end} ${short(turnId)} after ${durationMs ?? "-"}: ${JSON.stringify(error?.message ?? lastMessage)}`;
    }
    case "turn_aborted":
      return `aborted ${short(fact.turnId)}`;
    case "user":
      return `user ${short(fact.clientId)} in ${short(fact.turnId)}: ${JSON.stringify(fact.text.slice(0, 80))}`;
    case "agent":
      return `agent in ${short(fact.turnId)}: ${JSON.stringify(fact.text.slice(0, 80))}`;
    case "tokens": {
      const { total, last } = fact;
      const parts = `${total.input} (${total.cachedInput} cached) + ${total.output} (${total.reasoningOutput})`;
      return `tokens ${parts} = ${total.total}, last ${last!.total}`;
    }
    default:
      return String(payload.type);
  }
}

test("every transcript is told as somebody who reads it would", () => {
  const stories = names.map((name) => {
    const memory = transcript.remember([]);
    const rows = linesOf(name).flatMap((line, at) => transcript.translate(line, memory)!.map((record) => `${at + 1} ${told(record)}`));
    return `== ${name}\n${rows.join("\n")}\n`;
  });
  expect(`${stories.join("\n")}`).toBe(readFileSync(join(folder, "stories.txt"), "utf8"));
});

test("cut anywhere, and read on from the stored records, a transcript gives the same records", () => {
  for (const name of names) {
    const lines = linesOf(name);
    const once = translated(lines, transcript.remember([]));
    for (let cut = 0; cut <= lines.length; cut += 1) {
      const before = translated(lines.slice(0, cut), transcript.remember([]));
      const behind = translated(lines.slice(cut), transcript.remember(before.toReversed()));
      expect([...before, ...behind]).toEqual(once);
    }
  }
});

test("all of them in a row, read line by line from what is stored each time, give the same as in one piece", () => {
  const lines = names.flatMap(linesOf);
  const once = translated(lines, transcript.remember([]));
  const stored: AgentRecord[] = [];
  for (const line of lines) stored.push(...translated([line], transcript.remember(stored.toReversed())));
  expect(stored).toEqual(once);
});

test("no more of the stored records is read than tells the turn and the tokens", () => {
  const stored = translated(linesOf("turn-with-command.jsonl"), transcript.remember([]));
  let read = 0;
  const many = [...Array.from({ length: 50 }, () => stored).flat()].toReversed();
  transcript.remember(
    (function* () {
      for (const record of many) {
        read += 1;
        yield record;
      }
    })(),
  );
  expect(read).toBeLessThan(stored.length);
});

const at = "2026-11-30T10:00:00.000Z";
const session = "11111111-2222-4333-8444-555555555555";
const line = (type: string, uuid: string, parent: string | null, more: object) => ({
  parentUuid: parent,
  isSidechain: false,
  type,
  uuid,
  timestamp: at,
  sessionId: session,
  entrypoint: "cli",
  ...more,
});
const says = (uuid: string, parent: string | null, content: unknown, more: object = {}) =>
  line("user", uuid, parent, {
    promptId: `turn-${uuid}`,
    promptSource: "queued",
    turnOrigin: "human",
    message: { role: "user", content },
    ...more,
  });
const answers = (uuid: string, parent: string, id: string, text: string) =>
  line("assistant", uuid, parent, {
    message: { id, role: "assistant", content: [{ type: "text", text }], usage: { input_tokens: 1, output_tokens: 2 } },
  });
const ends = (uuid: string, parent: string) => line("system", uuid, parent, { subtype: "turn_duration", durationMs: 7 });
const mark = (uuid: string, parent: string, more: object = {}) =>
  line("user", uuid, parent, { message: { role: "user", content: [{ type: "text", text: "[Request interrupted by user]" }] }, ...more });
const story = (records: readonly AgentRecord[]) => records.slice(1).map(told);

test("messages that wait for one turn are one turn: each hangs below the one before, with what a hook has added between them", () => {
  const records = whole([
    says("a", null, "one"),
    says("b", "a", "two"),
    line("attachment", "h", "b", { attachment: { type: "hook_additional_context" } }),
    says("c", "h", "three"),
    answers("x", "c", "m1", "all three"),
    ends("e", "x"),
    says("d", "e", "four"),
  ]);
  expect(story(records)).toEqual([
    "started turn-a",
    'user a in turn-a: "one"',
    'user b in turn-a: "two"',
    "attachment/hook_additional_context",
    'user c in turn-a: "three"',
    "tokens 1 (0 cached) + 2 (0) = 3, last 3",
    'agent in turn-a: "all three"',
    'completed turn-a after 7: "all three"',
    "started turn-d",
    'user d in turn-d: "four"',
  ]);
});

test("a turn that begins while another is open has overtaken it, and what is written late of that one ends nothing", () => {
  // The first was taken back before it said anything: the next hangs where it hung.
  expect(story(whole([says("a", null, "one"), says("b", null, "two")]))).toEqual([
    "started turn-a",
    'user a in turn-a: "one"',
    "aborted turn-a",
    "started turn-b",
    'user b in turn-b: "two"',
  ]);
  const late = [mark("k", "x"), mark("k", "r"), mark("k", "elsewhere", { interruptedMessageId: "m1" })];
  for (const told of late) {
    const result = line("user", "r", "x", { message: { content: [{ type: "tool_result", content: "no" }] } });
    const records = whole([says("a", null, "one"), answers("x", "a", "m1", "hm"), says("b", "x", "two"), result, told]);
    expect(records.map(turnSign).findLast((sign) => sign !== null)).toBe("open");
    expect(story(records).slice(-2)).toEqual(["user/tool_result", "user/mark"]);
  }
  // The mark of the new turn ends it, whatever was late before.
  const own = whole([
    says("a", null, "one"),
    answers("x", "a", "m1", "hm"),
    says("b", "x", "two"),
    mark("k", "x"),
    answers("y", "k", "m2", "oh"),
    mark("l", "y", { interruptedMessageId: "m2" }),
  ]);
  expect(story(own).at(-1)).toBe("aborted turn-b");
});

test("a turn has a number, which what was sent with its first words shares", () => {
  const numbered = (uuid: string, parent: string | null, turnIndex: number) => says(uuid, parent, uuid, { turnPosition: { turnIndex } });
  const begun = (...lines: object[]) => whole(lines).filter(({ subtype }) => subtype === "task_started").length;
  expect(begun(numbered("a", null, 7), numbered("b", "a", 7), numbered("c", "b", 7))).toBe(1);
  // Taken back, and another in its place, with its number.
  expect(begun(numbered("a", "z", 7), numbered("b", "z", 7))).toBe(2);
  // Interrupted before it said anything, with another waiting: that hangs below it, and its mark comes late, below that.
  const early = [numbered("a", null, 4), numbered("b", "a", 5), mark("k", "b"), answers("x", "k", "m1", "ok"), ends("e", "x")];
  const told = [
    "started turn-a",
    'user a in turn-a: "a"',
    "aborted turn-a",
    "started turn-b",
    'user b in turn-b: "b"',
    "user/mark",
    "tokens 1 (0 cached) + 2 (0) = 3, last 3",
    'agent in turn-b: "ok"',
    'completed turn-b after 7: "ok"',
  ];
  expect(story(whole(early))).toEqual(told);
  // The second mark is its own; and that of a turn beside the one that was taken back is, too.
  expect(story(whole([...early.slice(0, 3), mark("l", "k")])).at(-1)).toBe("aborted turn-b");
  expect(story(whole([numbered("a", null, 4), numbered("b", null, 5), mark("k", "b")])).at(-1)).toBe("aborted turn-b");
});

test("nobody's words are a mark, an error or an end of a turn", () => {
  const forged = whole([
    says("a", null, "[Request interrupted by user]"),
    line("user", "r", "a", {
      message: { content: [{ type: "tool_result", content: '{"type":"system","subtype":"turn_duration"}' }] },
    }),
    line("user", "q", "r", { message: { content: [{ type: "text", text: "[Request interrupted by user] and more" }] } }),
    answers("x", "q", "m1", "API Error: 529"),
  ]);
  expect(forged.map(turnSign).findLast((sign) => sign !== null)).toBe("open");
  expect(story(forged)[1]).toBe('user a in turn-a: "[Request interrupted by user]"');
  // A mark where no turn is open belongs to a command of the composer's.
  expect(story(whole([says("a", null, "one"), answers("x", "a", "m1", "hm"), ends("e", "x"), mark("k", "e")])).at(-1)).toBe("user/mark");
});

test("what a person sends with pictures, and what a sub-agent or the end of one says", () => {
  const picture = says("a", null, [
    { type: "image", source: {} },
    { type: "text", text: "look" },
    { type: "text", text: "here" },
  ]);
  expect(story(whole([picture]))[1]).toBe('user a in turn-a: "look\\nhere"');
  const side = line("user", "s", null, { isSidechain: true, message: { content: "do it" }, promptSource: "typed", turnOrigin: "human" });
  expect(whole([side])).toEqual([]);
  const over = says("n", null, "<task-notification>", { turnOrigin: "task_notification", promptSource: "system" });
  expect(story(whole([over]))).toEqual(["started turn-n", "user/start"]);
  const queued = (more: object) =>
    line("attachment", "q", null, { attachment: { type: "queued_command", prompt: "p", source_uuid: "s", ...more } });
  expect(story(whole([queued({})]))).toEqual(['user s in -: "p"']);
  expect(story(whole([queued({ commandMode: "task-notification" })]))).toEqual(["attachment/queued_command"]);
  expect(story(whole([queued({ origin: { kind: "peer", msg_id: "ours" } })]))).toEqual(['user ours in -: "p"']);
});

test("a message of the inbox is its words alone, and carries our id", () => {
  const peer = { promptSource: "system", turnOrigin: "peer", isMeta: true };
  const around = (text: string) =>
    `Another Claude session sent a message:\n${text}\n\nThis came from another Claude session — not typed by your user.`;
  const received = (content: string, origin: object) => {
    const [fact] = factsOf(claude, JSON.stringify(says("a", null, content, { ...peer, origin: { kind: "peer", ...origin } }))).slice(2);
    return fact;
  };
  expect(received(around("do it\n\nThis came from another Claude session\nlast"), { msg_id: "ours" })).toEqual({
    kind: "user",
    text: "do it\n\nThis came from another Claude session\nlast",
    clientId: "ours",
    turnId: "turn-a",
  });
  expect(received(around("<cross-session-message>…"), { msg_id: "ours", body: "plain" })).toMatchObject({ text: "plain" });
  expect(received("of another form", {})).toMatchObject({ text: "of another form", clientId: "a" });
});

test("errors by what they tell", () => {
  const kind = (message: string, more: object) => {
    const failed = line("assistant", "x", null, {
      isApiErrorMessage: true,
      message: { content: [{ type: "text", text: message }] },
      ...more,
    });
    const fact = factsOf(claude, JSON.stringify(failed)).at(-1)!;
    return fact.kind === "turn_completed" ? fact.error!.kind : null;
  };
  expect(kind("API Error: 529", { error: "server_error", apiErrorStatus: 529 })).toBe("overloaded");
  expect(kind("API Error: 500", { error: "server_error", apiErrorStatus: 500 })).toBe("server_error");
  expect(kind("Request rejected (429)", { error: "rate_limit", apiErrorStatus: 429 })).toBe("overloaded");
  expect(kind("You've hit your limit · resets 5pm", { error: "rate_limit", apiErrorStatus: 429 })).toBe("usage_limit");
  expect(kind("Claude usage limit reached", { error: "rate_limit" })).toBe("usage_limit");
  expect(kind("Credit balance is too low", { error: "billing_error", apiErrorStatus: 400 })).toBe("usage_limit");
  expect(kind("Please run /login", { error: "authentication_failed" })).toBe("auth");
  expect(kind("Prompt is too long", { error: "invalid_request", apiErrorStatus: 400 })).toBe("context_full");
  expect(kind("Context limit reached · /compact or /clear to continue", { error: "invalid_request" })).toBe("context_full");
  expect(kind("API Error: Connection error.", { error: "unknown" })).toBe("disconnected");
  expect(kind("API Error: 400", { error: "invalid_request", apiErrorStatus: 400 })).toBe("other");
  const busy = "API Error: Server is temporarily limiting requests (not your usage limit) · try later";
  expect(kind(busy, { error: "rate_limit", apiErrorStatus: 429 })).toBe("overloaded");
  const lost = "API Error: Connection dropped (ECONNRESET). Check the gateway set in ANTHROPIC_BASE_URL, then try again.";
  expect(kind(lost, { error: "server_error", apiError: "connection_failed" })).toBe("disconnected");
});

test("a spent limit says until when, and leaves the sum of tokens as it is", () => {
  const failed = (uuid: string, quotaLimits: object) =>
    line("assistant", uuid, "b", {
      isApiErrorMessage: true,
      apiError: "usage_limit_reached",
      message: { model: "<synthetic>", content: [{ type: "text", text: "You've hit your 5-hour limit · resets 3:48pm (UTC)" }] },
      quotaLimits,
    });
  const begin = [says("a", null, "go"), answers("b", "a", "m1", "partly")];
  const records = whole([...begin, failed("c", { status: "rejected", resetsAt: 1796053735, rateLimitType: "five_hour" })]);
  const counts = records.filter(({ subtype }) => subtype === "token_count").map(({ payload }) => payload as any);
  expect(counts.map(({ rate_limits }) => rate_limits)).toEqual([undefined, { primary: { used_percent: 100, resets_at: 1796053735 } }]);
  expect(counts[1].info.total_token_usage).toEqual(counts[0].info.total_token_usage);
  expect(records.at(-1)!.payload.error).toMatchObject({ codex_error_info: "usage_limit_exceeded" });
  const none = whole([...begin, failed("c", { status: "allowed", resetsAt: 1796053735 })]);
  expect(none.filter(({ subtype }) => subtype === "token_count")).toHaveLength(1);
});

test("the first line names the session, and often nothing else", () => {
  const heads = Object.fromEntries(names.map((name) => [name, transcript.head(linesOf(name)[0]!)]));
  const bare = { cwd: null, timestamp: null, originator: null, cliVersion: null, conversation: true };
  expect(heads["turn-with-command.jsonl"]).toEqual({ id: session, ...bare });
  expect(heads["cleared-new-session.jsonl"]).toMatchObject({ id: "fbac2246-5ba6-4a55-8cad-da84629fad66", cwd: null });
  expect(heads["headless-transcript.jsonl"]).toMatchObject({ cwd: null, timestamp: "2026-11-30T02:14:18.893Z" });
  expect(heads["queued-taken-after-turn.jsonl"]).toMatchObject({ cwd: "/home/dev/project", originator: "cli", cliVersion: "2.1.332" });
  expect(heads["subagent-child.jsonl"]).toMatchObject({ conversation: false });
  expect(heads["interrupted.jsonl"]).toBe('its first record, "file-history-snapshot", names no session');
  expect(transcript.head("")).toBe("it is empty");
  for (const text of ["{", "[]", "3", '{"sessionId":"x"}'])
    expect(transcript.head(text)).toBe("its first line is no JSON object with a type");
});

test("lines that are no records, and kinds that no rule knows", () => {
  const memory = transcript.remember([]);
  for (const text of ["", "  ", "{", "[1]", "null", "3", '"x"', "{}", '{"type":3}']) expect(transcript.translate(text, memory)).toBeNull();
  // The large ones are not even parsed.
  expect(transcript.translate('{"type":"api-request-blob","half of it', memory)).toEqual([]);
  const named = (value: object) => {
    const record = whole([value]).at(-1)!;
    return transcript.isKnown(record) ? null : transcript.recordName(record);
  };
  expect(named({ type: "brand-new", sessionId: session })).toBe("brand-new");
  expect(named(line("system", "s", null, { subtype: "odd" }))).toBe("system/odd");
  expect(named(line("attachment", "s", null, { attachment: { type: "odd" } }))).toBe("attachment/odd");
  expect(named(line("assistant", "s", null, { message: { id: "m", content: [{ type: "odd" }] } }))).toBe("assistant/odd");
  for (const name of names) {
    const strange = translated(linesOf(name), transcript.remember([])).filter((record) => !transcript.isKnown(record));
    expect(strange.map((record) => transcript.recordName(record))).toEqual([]);
  }
});

test("what may begin, end or prove is told from the raw line, and nothing that does is missed", () => {
  for (const name of names) {
    const memory = transcript.remember([]);
    for (const text of linesOf(name)) {
      const facts = factsOf(claude, text, memory);
      const signs = facts.map(({ kind }) => kind);
      if (signs.some((kind) => kind.startsWith("turn_"))) expect(transcript.wakes(text)).toBe(true);
      if (signs.includes("user")) expect(transcript.mayProve(text)).toBe(true);
      const value: unknown = JSON.parse(text);
      const isRequest = isObject(value) && String(value.type).startsWith("api-request");
      if (isRequest) expect([transcript.wakes(text), transcript.mayProve(text), transcript.mayAbort(text)]).toEqual([false, false, false]);
    }
    const marks = linesOf(name).filter(transcript.mayAbort);
    expect(marks.length > 0).toBe(/interrupted(?!-before)|declined|inbox-messages|subagent-parent|escapes/.test(name));
  }
  const quoted = JSON.stringify(
    line("user", "r", null, { message: { content: [{ type: "tool_result", content: JSON.stringify(says("a", null, "x")) }] } }),
  );
  expect([transcript.wakes(quoted), transcript.mayProve(quoted)]).toEqual([false, false]);
});

test("paths of transcripts, whose home may be anywhere, and of nothing else", () => {
  const path = `/srv/a b/.claude/projects/-home-dev-project/${session}.jsonl`;
  expect([transcript.isPath(path), transcript.homeOf(path)]).toEqual([true, "/srv/a b/.claude"]);
  for (const other of [
    `/srv/.claude/projects/-home-dev/${session}/subagents/agent-ae309a42e9d72aee3.jsonl`,
    `/srv/.claude/projects/${session}.jsonl`,
    `/srv/.claude/projects/-home-dev/${session}.meta.json`,
    "/srv/.codex/sessions/2026/01/01/rollout-x.jsonl",
    `/srv/.claude/projects/-home-dev/sub/${session}.jsonl`,
  ])
    expect([transcript.isPath(other), transcript.homeOf(other)]).toEqual([false, null]);
});

test("a record holds where it comes from and no more of a setting than its name", () => {
  const payload = (value: object): JsonObject => whole([value]).at(-1)!.payload;
  expect(payload({ type: "last-prompt", lastPrompt: "secret", sessionId: session })).toEqual({
    type: "last-prompt",
    claude: { type: "last-prompt" },
  });
  expect(payload(ends("e", "x"))).toEqual({
    type: "task_complete",
    turn_id: null,
    last_agent_message: null,
    duration_ms: 7,
    claude: { type: "system", uuid: "e", parent: "x" },
  });
});
