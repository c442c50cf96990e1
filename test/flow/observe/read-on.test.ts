/**
 * A transcript whose lines become several records, read by what earlier lines said: as an agent that does not write in Codex's form. The
 * agent is made up, since Codex's own lines are one record each and remember nothing.
 */
import { afterEach, beforeEach, expect, test } from "bun:test";
import type { Agent } from "../../../src/core/agent/agent.ts";
import { agents } from "../../../src/core/agent/agents.ts";
import { type AgentRecord, readFact } from "../../../src/core/agent/record.ts";
import { isObject, type JsonObject } from "../../../src/core/json.ts";
import { type Ingested, readOn } from "../../../src/flow/observe/read-on.ts";
import { needSession } from "../../../src/store/sessions/sessions.ts";
import { openRollout, type RolloutFile } from "../../../src/system/files/rollout-reader.ts";
import { World } from "../../harness.ts";
import { line, lonelyWorker, meta, THREAD } from "../../rollout.ts";

let w: World;
beforeEach(() => void (w = new World()));
afterEach(() => w.close());

interface Memory {
  turn: string | null;
  tokens: number;
  text: string | null;
}

const record = (type: string, payload: JsonObject): AgentRecord => ({
  type,
  subtype: type === "event_msg" ? String(payload.type) : null,
  payload,
  timestamp: null,
});
const event = (payload: JsonObject): AgentRecord => record("event_msg", payload);
const used = (tokens: number) => ({ input_tokens: tokens, output_tokens: 0, total_tokens: tokens });

/** Lines: `ask` begins a turn, `say` is a text with its tokens, `end` ends the turn, `noise` is kept nowhere. */
const other: Agent = {
  ...agents.codex,
  key: "other",
  transcript: {
    ...agents.codex.transcript,
    remember(newest): Memory {
      const seen: Partial<Memory> = {};
      for (const each of newest) {
        const fact = readFact(each);
        if (fact.kind === "turn_started") seen.turn ??= fact.turnId;
        if (fact.kind === "turn_completed" && seen.turn === undefined) seen.turn = null;
        if (fact.kind === "tokens") seen.tokens ??= fact.total.total;
        if (fact.kind === "agent") seen.text ??= fact.text;
        if (seen.turn !== undefined && seen.tokens !== undefined && seen.text !== undefined) break;
      }
      return { turn: null, tokens: 0, text: null, ...seen };
    },
    translate(text: string, memory: Memory) {
      const [first] = agents.codex.transcript.translate(text, {}) ?? [];
      if (first === undefined) return null;
      const { type, payload } = first;
      switch (type) {
        case "session_meta":
          return [first, record("turn_context", { of: payload.id! })];
        case "ask": {
          const overtaken = memory.turn === null ? [] : [event({ type: "turn_aborted", turn_id: memory.turn, reason: "interrupted" })];
          memory.turn = String(payload.id);
          return [
            ...overtaken,
            event({ type: "task_started", turn_id: memory.turn }),
            event({ type: "user_message", message: payload.id! }),
          ];
        }
        case "say":
          memory.text = String(payload.text);
          memory.tokens += Number(payload.tokens);
          return [
            event({ type: "agent_message", message: memory.text }),
            event({ type: "token_count", info: { total_token_usage: used(memory.tokens) } }),
            // The same record twice in one line is two records.
            event({ type: "warning" }),
            event({ type: "warning" }),
          ];
        case "end": {
          const { turn } = memory;
          memory.turn = null;
          return [event({ type: "task_complete", turn_id: turn, last_agent_message: memory.text })];
        }
        default:
          return [];
      }
    },
  },
};

const ask = (id: string) => line("ask", { id });
const say = (text: string, tokens: number) => line("say", { text, tokens });
const end = line("end", {});
const noise = line("noise", { much: "x".repeat(300) });
const LINES = [meta(), ask("a"), say("one", 5), noise, say("two", 7), end, "{broken\n", ask("b"), ask("c"), say("three", 11), end];
const CONTENT = LINES.join("");

/** What is said of the turns, in a word each. */
function told(from = 0): string[] {
  const rows = w.rows<{ subtype: string | null; type: string; payload_json: string; byte_offset: number }>(
    "select type, subtype, payload_json, byte_offset from codex_events where id > ? order by id",
    from,
  );
  return rows.map(({ type, subtype, payload_json, byte_offset }) => {
    const payload = JSON.parse(payload_json) as JsonObject;
    const total = isObject(payload.info) && isObject(payload.info.total_token_usage) ? payload.info.total_token_usage.total_tokens : "";
    const words = [payload.turn_id ?? "", payload.message ?? payload.last_agent_message ?? "", total];
    return [byte_offset, subtype ?? type, ...words].filter((word) => word !== "").join(" ");
  });
}

const at = (index: number): number => LINES.slice(0, index).join("").length;
const EXPECTED = [
  `${at(0)} session_meta`,
  `${at(0)} turn_context`,
  `${at(1)} task_started a`,
  `${at(1)} user_message a`,
  `${at(2)} agent_message one`,
  `${at(2)} token_count 5`,
  `${at(2)} warning`,
  `${at(2)} warning`,
  `${at(4)} agent_message two`,
  `${at(4)} token_count 12`,
  `${at(4)} warning`,
  `${at(4)} warning`,
  `${at(5)} task_complete a two`,
  `${at(7)} task_started b`,
  `${at(7)} user_message b`,
  `${at(8)} turn_aborted b`,
  `${at(8)} task_started c`,
  `${at(8)} user_message c`,
  `${at(9)} agent_message three`,
  `${at(9)} token_count 23`,
  `${at(9)} warning`,
  `${at(9)} warning`,
  `${at(10)} task_complete c three`,
];

/** Reads on with the session as it stands on record now. @param through what is read through: it may do something before a piece */
function read(path: string, through: (file: RolloutFile) => RolloutFile = (file) => file): Ingested {
  const store = w.store();
  const file = openRollout(path)!;
  try {
    return readOn({
      cx: { program: "conveyor" },
      store,
      session: needSession(store, "w1"),
      agent: other,
      file: through(lineByLine(file)),
      ahead: false,
    });
  } finally {
    file.close();
  }
}

/** Every line is a piece of its own. */
const lineByLine = (file: RolloutFile): RolloutFile => ({
  ...file,
  read(from) {
    const { lines, next, more } = file.read(from);
    return { lines: lines.slice(0, 1), next: lines[1]?.offset ?? next, more: more || lines.length > 1 };
  },
});

/** Does something in front of the piece of this number. */
const before =
  (number: number, act: () => void) =>
  (file: RolloutFile): RolloutFile => {
    let count = 0;
    return {
      ...file,
      read(from) {
        if (count++ === number) act();
        return file.read(from);
      },
    };
  };

const kill = (): never => {
  throw new Error("killed");
};

test("the records of a line are stored together at its byte; a line without any is passed, a broken one counted", async () => {
  const { path } = await lonelyWorker(w, CONTENT);
  expect(read(path)).toEqual({ new_events: EXPECTED.length, new_offset: CONTENT.length, skipped_lines: 1 });
  expect(told()).toEqual(EXPECTED);
  expect(read(path)).toMatchObject({ new_events: 0 });
});

test("killed at the edge of any piece, the next reading goes on as if it had read it all itself", async () => {
  for (let edge = 1; edge < LINES.length; edge += 1) {
    w.close();
    w = new World();
    const { path } = await lonelyWorker(w, CONTENT);
    expect(() => read(path, before(edge, kill))).toThrow("killed");
    expect(told().length).toBeLessThan(EXPECTED.length);
    read(path);
    expect(told()).toEqual(EXPECTED);
  }
});

test("somebody else reads on in between: theirs counts, and what follows is read by what they stored", async () => {
  for (let edge = 1; edge < LINES.length; edge += 1) {
    w.close();
    w = new World();
    const { path } = await lonelyWorker(w, CONTENT);
    const overtake = before(edge, () => {
      // Killed two pieces further where there are as many, so that the first has to go on from there.
      if (LINES.length - edge > 2) expect(() => read(path, before(2, kill))).toThrow("killed");
      else read(path);
    });
    read(path, overtake);
    expect(told()).toEqual(EXPECTED);
  }
});

test("registered again it is read from its beginning, even when killed in the middle of that: nothing is doubled, nothing remembered from later", async () => {
  const words = (path: string) => [
    "register-worker",
    "--name",
    "w1",
    "--pid",
    String(process.pid),
    "--codex-session",
    path,
    "--cwd",
    w.work,
  ];
  const { path, append } = await lonelyWorker(w, CONTENT);
  read(path);
  await w.ok(words(path));
  expect(() => read(path, before(4, kill))).toThrow("killed");
  append(ask("d") + say("four", 1));
  read(path);
  const [start, size] = [CONTENT.length, CONTENT.length + ask("d").length];
  expect(told()).toEqual([
    ...EXPECTED,
    ...[`${start} task_started d`, `${start} user_message d`, `${size} agent_message four`, `${size} token_count 24`],
    ...[`${size} warning`, `${size} warning`],
  ]);
});

test("what was stored of another file is not remembered", async () => {
  const first = await lonelyWorker(w, CONTENT);
  read(first.path);
  const [{ last }] = w.rows<{ last: number }>("select max(id) as last from codex_events") as [{ last: number }];
  const next = [meta(THREAD.manager), ask("another"), say("new", 1), end];
  const path = await w.file("other.jsonl", next.join(""));
  await w.ok(["register-worker", "--name", "w1", "--pid", String(process.pid), "--codex-session", path, "--cwd", w.work]);
  expect(() => read(path, before(2, kill))).toThrow("killed");
  read(path);
  expect(told(last).map((words) => words.replace(/^\d+ /, ""))).toEqual([
    ...["session_meta", "turn_context", "task_started another", "user_message another"],
    ...["agent_message new", "token_count 1", "warning", "warning", "task_complete another new"],
  ]);
});
