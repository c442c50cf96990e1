/** Reads on in a session's transcript: piece by piece, each with its records and the new offset in one transaction. */
import type { Context } from "../../context.ts";
import type { Agent, TranscriptMemory } from "../../core/agent/agent.ts";
import type { LimitWindow } from "../../core/agent/limits.ts";
import { type AgentRecord, limitsIn, readFact } from "../../core/agent/record.ts";
import { Failure } from "../../core/failure.ts";
import { compactJson } from "../../core/json.ts";
import { tokensOf } from "../../core/observe/tokens.ts";
import type { Session } from "../../core/sessions/session.ts";
import { quoteWord } from "../../core/shell.ts";
import { noteLimits } from "../../store/attention/accounts.ts";
import { addCodexEvents, type NewCodexEvent, recordsBefore, readingMark, setReadingMark } from "../../store/observe/codex-events.ts";
import { addTokenCounts, type TokenCount } from "../../store/observe/tokens.ts";
import { countUnknownRecord } from "../../store/observe/unknown-records.ts";
import { addTelemetry } from "../../store/record/telemetry.ts";
import { taskOfSession } from "../../store/sessions/bindings.ts";
import { type Store, tx } from "../../store/store.ts";
import type { Lines, RolloutFile } from "../../system/files/rollout-reader.ts";
import type { Scene } from "../scene.ts";

export interface Ingested {
  readonly new_events: number;
  readonly new_offset: number;
  readonly skipped_lines: number;
}

/** Whose transcript is read, and how. */
export interface Reading extends Omit<Scene, "cx"> {
  readonly cx: Pick<Context, "program">;
  readonly session: Session;
  readonly agent: Agent;
  readonly file: RolloutFile;
  /** Read by who shows nobody what is new, so that it still is new to the next cycle. */
  readonly ahead: boolean;
}

interface ReadRecord extends NewCodexEvent {
  readonly record: AgentRecord;
}

/**
 * Stores the records of every complete line behind the session's offset, and moves it.
 * @throws Failure when the session was changed meanwhile
 */
export function readOn({ cx, store, session, agent, file, ahead }: Reading): Ingested {
  let offset = session.last_ingest_offset;
  // Only as good as the offset is: where that has moved in the transaction, somebody else stored records that it knows nothing of.
  let memory = memoryAt(store, agent, session, offset);
  const start = offset ?? 0;
  let events = 0;
  let skipped = 0;
  let overtaken = false;
  for (;;) {
    const piece = file.read(offset ?? 0);
    // Somebody else has stored and reported all of it. Many may follow one transcript, and each commit wakes them all.
    if (overtaken && piece.lines.length === 0 && events === 0) return { new_events: 0, new_offset: offset ?? 0, skipped_lines: 0 };
    const { records, malformed } = translated(agent, piece, memory);
    const done = tx(store, () => {
      const mark = readingMark(store, session.id);
      if (!mark || mark.state !== "active" || mark.codex_session_path !== session.codex_session_path) {
        throw new Failure(`session ${JSON.stringify(session.name)} was changed while its rollout was read`, {
          hint: `${cx.program} ingest ${quoteWord(session.name)}`,
        });
      }
      // Somebody else read on meanwhile: their offset counts, and this piece is read again from there.
      if (mark.last_ingest_offset !== offset) return { offset: mark.last_ingest_offset, last: false, overtaken: true };
      const { stored, refused } = addCodexEvents(store, session.id, records);
      events += stored.length;
      skipped += malformed + refused;
      noteMore(store, agent, session, stored);
      const next = piece.lines.length === 0 ? offset : piece.next;
      setReadingMark(store, session.id, next);
      if (!piece.more) report(store, session, { start, next: next ?? 0, events, skipped, ahead });
      return { offset: next, last: !piece.more, overtaken: false };
    });
    offset = done.offset;
    overtaken = done.overtaken;
    if (done.overtaken) memory = memoryAt(store, agent, session, offset);
    if (done.last) return { new_events: events, new_offset: offset ?? 0, skipped_lines: skipped };
  }
}

/** What the lines before this offset said, from what was stored of them. */
const memoryAt = (store: Store, agent: Agent, session: Session, offset: number | null): TranscriptMemory =>
  agent.transcript.remember(offset === null ? [] : recordsBefore(store, session.id, offset));

function translated(agent: Agent, piece: Lines, memory: TranscriptMemory): { records: ReadRecord[]; malformed: number } {
  const records: ReadRecord[] = [];
  let malformed = 0;
  for (const { text, offset } of piece.lines) {
    const found = text === null ? null : agent.transcript.translate(text, memory);
    let whole = found !== null;
    for (const record of found ?? []) {
      const { type, subtype, timestamp } = record;
      const payloadJson = payloadOf(record);
      if (payloadJson === null) whole = false;
      else records.push({ record, type, subtype, timestamp, payloadJson, byteOffset: offset });
    }
    if (!whole) malformed += 1;
  }
  return { records, malformed };
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

function noteMore(store: Store, agent: Agent, session: Session, stored: readonly ReadRecord[]): void {
  // A file that begins counts anew.
  const counts: TokenCount[] = stored[0]?.byteOffset === 0 ? [{ at: null, used: null }] : [];
  const now = store.now();
  // Each count tells all of it again: the last one of a piece is enough.
  const limits = new Map<string, { readonly window: LimitWindow; readonly at: string }>();
  for (const { record, byteOffset } of stored) {
    for (const window of limitsIn(record, now)) limits.set(`${window.limit_id} ${window.window}`, { window, at: record.timestamp ?? now });
    const fact = readFact(record);
    if (fact.kind === "tokens") counts.push({ at: record.timestamp, used: tokensOf(fact.total) });
    else if (fact.kind === "other" && !agent.transcript.isKnown(record))
      countUnknownRecord(store, { kind: agent.transcript.recordName(record), sessionId: session.id, byteOffset });
  }
  addTokenCounts(store, session.id, counts);
  for (const { window, at } of limits.values()) noteLimits(store, session, [window], at);
}

function report(
  store: Store,
  session: Session,
  seen: { start: number; next: number; events: number; skipped: number; ahead: boolean },
): void {
  addTelemetry(store, {
    type: "codex_events_ingested",
    taskId: taskOfSession(store, session.id),
    summary: `${seen.events} records of ${session.name} stored`,
    correlation: { session: session.name, session_id: session.id },
    attributes: {
      new_events: seen.events,
      new_offset: seen.next,
      skipped_lines: seen.skipped,
      start_offset: seen.start,
      ...(seen.ahead ? { read_ahead: true } : {}),
    },
  });
}
