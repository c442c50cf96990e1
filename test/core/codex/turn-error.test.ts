/** Errors with which Codex ends a turn, by kind: as its versions wrote them, by the names in its program, and by words alone. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { notesLimits, readTurnError, resetOf } from "../../../src/core/agent/turn-error.ts";
import { readFact } from "../../../src/core/agent/record.ts";
import { parseRecord } from "../../../src/core/codex/rollout.ts";
import { failureWords } from "../../../src/core/agent/failed-turn.ts";
import { turnSign } from "../../../src/core/sessions/worker-state.ts";
import { FIXTURES } from "../../harness.ts";

test.each([
  ["usage-limit", "usage_limit"],
  ["429", "overloaded"],
  ["500", "server_error"],
  ["stream-disconnected", "disconnected"],
  ["context-window", "context_full"],
  ["400", "other"],
])("0.171 wrote it: %s is %s", (name, kind) => {
  const lines = readFileSync(join(FIXTURES, `codex-0.171.0/rollouts/turn-failed-${name}.jsonl`), "utf8").split("\n");
  const ended = lines.flatMap((line) => parseRecord(line) ?? []).findLast((record) => record.subtype === "task_complete")!;
  expect(turnSign(ended)).toBe("failed");
  const fact = readFact(ended);
  expect(fact.kind === "turn_completed" && fact.error).toMatchObject({ kind, message: expect.stringMatching(/./) });
});

const kind = (codex_error_info: unknown, message = "x") => readTurnError({ message, codex_error_info } as never)?.kind;

test("the names that stand in the program, with and without a status", () => {
  expect(kind("usage_limit_exceeded")).toBe("usage_limit");
  expect(kind("server_overloaded")).toBe("overloaded");
  expect(kind("rate_limit_exceeded")).toBe("overloaded");
  expect(kind("unauthorized")).toBe("auth");
  expect(kind({ http_connection_failed: { http_status_code: 401 } })).toBe("auth");
  expect(kind({ http_connection_failed: { http_status_code: 502 } })).toBe("server_error");
  expect(kind({ http_connection_failed: { http_status_code: null } })).toBe("disconnected");
  expect(kind({ response_stream_disconnected: {} })).toBe("disconnected");
  expect(kind({ response_too_many_failed_attempts: { http_status_code: 529 } })).toBe("overloaded");
  for (const name of ["bad_request", "sandbox_error", "cyber_policy", "session_budget_exceeded", "constructor", "of tomorrow", 7, null, {}])
    expect(kind(name)).toBe("other");
});

test("a refused request is no lost connection, whatever the name says; one that took too long is", () => {
  for (const status of [400, 404, 410, 422]) {
    expect(kind({ http_connection_failed: { http_status_code: status } })).toBe("other");
    expect(kind({ response_stream_disconnected: { http_status_code: status } }, "stream disconnected before completion")).toBe("other");
    expect(kind({ response_stream_connection_failed: {} }, `unexpected status ${status} Not Found, url: http://127.0.0.1:1/v1`)).toBe(
      "other",
    );
  }
  expect(kind({ http_connection_failed: { http_status_code: 400 } }, "context_length_exceeded")).toBe("context_full");
  expect(kind({ http_connection_failed: { http_status_code: 408 } })).toBe("disconnected");
  expect(kind({ http_connection_failed: { http_status_code: 404 } }, "You are not logged in")).toBe("auth");
});

test("what has no name is told apart by its words", () => {
  expect(kind("other", "unexpected status 403 Forbidden: {}")).toBe("auth");
  expect(kind("other", "error sending request for url (http://127.0.0.1:1/)")).toBe("disconnected");
  expect(kind(undefined, "You’ve hit your usage limit.")).toBe("usage_limit");
  expect(kind(undefined, "Your access token could not be refreshed. Please log in again.")).toBe("auth");
  expect(readTurnError("overloaded")).toEqual({ kind: "overloaded", message: "overloaded" });
  expect(readTurnError({})).toEqual({ kind: "other", message: "" });
  expect([readTurnError(null), readTurnError(undefined)]).toEqual([null, null]);
});

const at = (time: string) => Date.parse(`2026-01-01T${time}Z`) / 1000;
const limits = (primary: unknown, secondary: unknown = null) => ({ rate_limits: { primary, secondary } }) as never;
const reset = (payload: never) => resetOf(payload, "2026-01-01T00:00:00Z", "2026-01-01T00:00:10Z");

test("the reset is that of the last spent window, else of the fullest, and never in the past", () => {
  const spent = { used_percent: 100, resets_at: at("05:00:00") };
  expect(reset(limits(spent, { used_percent: 20, resets_at: at("09:00:00") }))).toBe("2026-01-01T05:00:00.000Z");
  expect(reset(limits(spent, { used_percent: 130, resets_at: at("09:00:00") }))).toBe("2026-01-01T09:00:00.000Z");
  expect(reset(limits({ used_percent: 97, resets_at: at("05:00:00") }, { used_percent: 3, resets_at: at("09:00:00") }))).toBe(
    "2026-01-01T05:00:00.000Z",
  );
  expect(reset(limits({ used_percent: 100, resets_in_seconds: 60 }))).toBe("2026-01-01T00:01:00.000Z");
  expect(reset(limits({ used_percent: 100, resets_at: at("00:00:05") }))).toBeNull();
  for (const odd of [null, 3, {}, { used_percent: 100 }, { used_percent: 100, resets_at: "soon" }, { used_percent: 100, resets_at: 9e99 }])
    expect(reset(limits(odd))).toBeNull();
  expect([notesLimits(limits(spent)), notesLimits(limits(null)), notesLimits({})]).toEqual([true, false, false]);
});

test("the few words for the manager: with the day only when it is another one, and never the agent's own", () => {
  const local = (day: number, hour: number, minute: number) => new Date(2026, 2, day, hour, minute).toISOString();
  const words = (resets_at: string | null) => failureWords({ kind: "usage_limit", resets_at }, local(5, 9, 0));
  expect(words(local(5, 17, 42))).toBe("usage limit, until 17:42");
  expect(words(local(6, 4, 5))).toBe("usage limit, until 2026-03-06 04:05");
  expect(words(null)).toBe("usage limit");
});
