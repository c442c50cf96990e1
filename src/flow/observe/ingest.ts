/** Reads what a session's rollout has gained since the last time into `codex_events`, piece by piece, each piece in one transaction. */
import type { Context } from "../../context.ts";
import type { Agent } from "../../core/agent/agent.ts";
import { agentOf } from "../../core/agent/agents.ts";
import { type AgentRecord, readFact } from "../../core/agent/record.ts";
import { Failure } from "../../core/failure.ts";
import { compactJson } from "../../core/json.ts";
import type { Session } from "../../core/sessions/session.ts";
import { bindingOfSession } from "../../store/sessions/bindings.ts";
import { addCodexEvents, firstRecords, type NewCodexEvent, readingMark, setReadingMark } from "../../store/observe/codex-events.ts";
import { tokensOf } from "../../core/observe/tokens.ts";
import { quoteWord } from "../../core/shell.ts";
import { followRollout } from "../../store/sessions/sessions.ts";
import { type Store, tx } from "../../store/store.ts";
import { addTelemetry } from "../../store/record/telemetry.ts";
import { addTokenCounts, type TokenCount } from "../../store/observe/tokens.ts";
import { countUnknownRecord } from "../../store/observe/unknown-records.ts";
import { machineOf } from "../../system/agent/agents.ts";
import { firstLine } from "../../system/agent/transcript.ts";
import { type Lines, openRollout, type RolloutFile } from "../../system/files/rollout-reader.ts";

interface Ingested {
  readonly new_events: number;
  readonly new_offset: number;
  readonly skipped_lines: number;
}

interface ReadLine extends NewCodexEvent {
  readonly record: AgentRecord;
}

/**
 * Stores the new records of `session`, moves its offset and heartbeat, and reports them in telemetry. A thread that was rewound or archived
 * is followed into the file it is in now, once the one before was read to its end.
 * @throws Failure when the session is gone, or its rollout is missing, shorter than what was read, or another file
 */
export function ingest(cx: Pick<Context, "program">, store: Store, session: Session): Ingested {
  mustRead(cx, session);
  const machine = machineOf(agentOf(session));
  const sum = { new_events: 0, new_offset: 0, skipped_lines: 0 };
  for (let now = session; ;) {
    const path = mustRead(cx, now);
    const place = machine.placeOfTranscript(path, now.codex_session_id);
    if (place !== path) {
      now = followRollout(store, now, place, { same: true });
      continue;
    }
    const next = machine.nextTranscript(path, now.codex_session_id);
    const file = openRollout(path);
    if (file === null && next === null)
      throw new Failure(`the rollout of session ${JSON.stringify(now.name)} is not there: ${path}`, { hint: reregister(cx, now) });
    if (file !== null) {
      try {
        checkIdentity(cx, store, now, file.size, path);
        const read = readOn(cx, store, now, file);
        sum.new_events += read.new_events;
        sum.skipped_lines += read.skipped_lines;
        sum.new_offset = read.new_offset;
      } finally {
        file.close();
      }
    }
    if (next === null) return sum;
    now = followRollout(store, now, next, { same: false });
  }
}

const reregister = (cx: Pick<Context, "program">, session: Session): string =>
  `start anew with another rollout: ${cx.program} register-${session.role} --name ${quoteWord(session.name)} --codex-session PATH ` +
  `--pid ${session.pid === null ? "PID" : session.pid}`;

function mustRead(cx: Pick<Context, "program">, session: Session): string {
  if (session.state !== "active") throw new Failure(`session ${JSON.stringify(session.name)} is gone`, { hint: reregister(cx, session) });
  if (!session.codex_session_path)
    throw new Failure(`session ${JSON.stringify(session.name)} has no rollout`, { hint: reregister(cx, session) });
  return session.codex_session_path;
}

/** A file that was cut off or replaced would be read from the middle of a record, or worse, in silence from a wrong one. */
function checkIdentity(cx: Pick<Context, "program">, store: Store, session: Session, size: number, path: string): void {
  const offset = session.last_ingest_offset ?? 0;
  if (offset > size) {
    throw new Failure(
      `the rollout of session ${JSON.stringify(session.name)} has shrunk: ${offset} bytes were read, ${size} are there; it was ` +
        "rotated or cut off",
      {
        hint: reregister(cx, session),
      },
    );
  }
  if (offset === 0) return;
  const first = firstLine(path);
  const now = first ? agentOf(session).transcript.record(first) : null;
  const thread = now && threadOf(now);
  const known = firstRecords(store, session.id).flatMap((record) => threadOf(record) ?? []);
  if (thread === null || known.length === 0 || known.includes(thread)) return;
  throw new Failure(
    `the rollout of session ${JSON.stringify(session.name)} was replaced: it belongs to thread ${thread} now, not to ${known[0]}`,
    { hint: reregister(cx, session) },
  );
}

function threadOf(record: AgentRecord): string | null {
  const fact = readFact(record);
  return fact.kind === "session" ? fact.id : null;
}

function readOn(cx: Pick<Context, "program">, store: Store, session: Session, file: RolloutFile): Ingested {
  const agent = agentOf(session);
  let offset = session.last_ingest_offset;
  const start = offset ?? 0;
  let events = 0;
  let skipped = 0;
  for (;;) {
    const from = offset ?? 0;
    const piece = file.read(from);
    const { lines, malformed } = parseLines(agent, piece);
    const done = tx(store, () => {
      const mark = readingMark(store, session.id);
      if (!mark || mark.state !== "active" || mark.codex_session_path !== session.codex_session_path) {
        throw new Failure(`session ${JSON.stringify(session.name)} was changed while its rollout was read`, {
          hint: `${cx.program} ingest ${quoteWord(session.name)}`,
        });
      }
      // Somebody else read on meanwhile: their offset counts, and this piece is read again from there.
      if (mark.last_ingest_offset !== offset) return { offset: mark.last_ingest_offset, last: false };
      const { stored, refused } = addCodexEvents(store, session.id, lines);
      events += stored.length;
      skipped += malformed + refused;
      noteMore(store, agent, session, stored);
      const next = piece.lines.length === 0 ? offset : piece.next;
      setReadingMark(store, session.id, next);
      if (!piece.more) report(store, session, { start, next: next ?? 0, events, skipped });
      return { offset: next, last: !piece.more };
    });
    offset = done.offset;
    if (done.last) return { new_events: events, new_offset: offset ?? 0, skipped_lines: skipped };
  }
}

function parseLines(agent: Agent, piece: Lines): { lines: ReadLine[]; malformed: number } {
  const lines = piece.lines.flatMap(({ text, offset }): ReadLine[] => {
    const record = text === null ? null : agent.transcript.record(text);
    const payloadJson = record && payloadOf(record);
    return record && payloadJson !== null
      ? [{ record, type: record.type, subtype: record.subtype, timestamp: record.timestamp, payloadJson, byteOffset: offset }]
      : [];
  });
  return { lines, malformed: piece.lines.length - lines.length };
}

/** null: nested so deeply that it cannot even be written. */
function payloadOf(record: AgentRecord): string | null {
  try {
    return compactJson(record.payload);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function noteMore(store: Store, agent: Agent, session: Session, stored: readonly ReadLine[]): void {
  const counts: TokenCount[] = [];
  for (const { record, byteOffset } of stored) {
    const fact = readFact(record);
    if (byteOffset === 0) counts.push({ at: null, used: null });
    if (fact.kind === "tokens") counts.push({ at: record.timestamp, used: tokensOf(fact.total) });
    else if (fact.kind === "other" && !agent.transcript.isKnown(record))
      countUnknownRecord(store, { kind: agent.transcript.recordName(record), sessionId: session.id, byteOffset });
  }
  addTokenCounts(store, session.id, counts);
}

function report(store: Store, session: Session, seen: { start: number; next: number; events: number; skipped: number }): void {
  addTelemetry(store, {
    type: "codex_events_ingested",
    taskId: bindingOfSession(store, session.id)?.task_id ?? null,
    summary: `${seen.events} records of ${session.name} stored`,
    correlation: { session: session.name, session_id: session.id },
    attributes: { new_events: seen.events, new_offset: seen.next, skipped_lines: seen.skipped, start_offset: seen.start },
  });
}
