/** Reads what a session's rollout has gained since the last time into `codex_events`, piece by piece, each piece in one transaction. */
import type { Context } from "../../context.ts";
import { agentOf } from "../../core/agent/agents.ts";
import { factsOf } from "../../core/agent/facts.ts";
import { type AgentFact, readFact } from "../../core/agent/record.ts";
import { Failure } from "../../core/failure.ts";
import { type Session, wayBack } from "../../core/sessions/session.ts";
import { firstRecords } from "../../store/observe/codex-events.ts";
import { quoteWord } from "../../core/shell.ts";
import { followRollout, sessionById } from "../../store/sessions/sessions.ts";
import type { Store } from "../../store/store.ts";
import { machineOf } from "../../system/agent/agents.ts";
import { firstLine } from "../../system/agent/transcript.ts";
import { openRollout } from "../../system/files/rollout-reader.ts";
import { settleAsks } from "./asks.ts";
import { type Ingested, readOn } from "./read-on.ts";

/**
 * Stores the new records of `session`, moves its offset and heartbeat, and reports them in telemetry. A thread that was rewound or archived
 * is followed into the file it is in now, once the one before was read to its end. What it was answered is settled by what is stored then.
 * @param ahead read by who shows nobody what is new, so that it still is new to the next cycle (`newSinceCycle`)
 * @throws Failure when the session is gone, or its rollout is missing, shorter than what was read, or another file
 */
export function ingest(cx: Pick<Context, "program">, store: Store, session: Session, ahead = false): Ingested {
  const done = readToEnd(cx, store, session, ahead);
  settleAsks(store, sessionById(store, session.id)!);
  return done;
}

function readToEnd(cx: Pick<Context, "program">, store: Store, session: Session, ahead: boolean): Ingested {
  mustRead(cx, session);
  const agent = agentOf(session);
  const machine = machineOf(agent);
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
    // A conversation that nobody has said anything in yet: its server, or its agent, tells beforehand where it will be written.
    const foretold = now.socket !== null || machine.list !== null;
    if (file === null && next === null && foretold && now.last_ingest_offset === null) return sum;
    if (file === null && next === null)
      throw new Failure(`the rollout of session ${JSON.stringify(now.name)} is not there: ${path}`, { hint: reregister(cx, now) });
    if (file !== null) {
      try {
        checkIdentity(cx, store, now, file.size, path);
        const read = readOn({ cx, store, session: now, agent, file, ahead });
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

/** Stores what its record has gained. What cannot be read tells nothing. */
export function readAhead(cx: Pick<Context, "program">, store: Store, sessionId: string): void {
  try {
    ingest(cx, store, sessionById(store, sessionId)!, true);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
  }
}

const reregister = (cx: Pick<Context, "program">, session: Session): string =>
  `start anew with another rollout: ${cx.program} register-${session.role} --name ${quoteWord(session.name)} --codex-session PATH ` +
  `--pid ${session.pid === null ? "PID" : session.pid}`;

function mustRead(cx: Pick<Context, "program">, session: Session): string {
  if (session.state !== "active")
    throw new Failure(`session ${JSON.stringify(session.name)} is gone`, { hint: wayBack(session, cx.program) });
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
  const thread = first ? threadOf(factsOf(agentOf(session), first)) : undefined;
  const known = firstRecords(store, session.id).flatMap((record) => threadOf([readFact(record)]) ?? []);
  if (thread === undefined || known.length === 0 || known.includes(thread)) return;
  throw new Failure(
    `the rollout of session ${JSON.stringify(session.name)} was replaced: it belongs to thread ${thread} now, not to ${known[0]}`,
    { hint: reregister(cx, session) },
  );
}

const threadOf = (facts: readonly AgentFact[]): string | undefined => facts.find((fact) => fact.kind === "session")?.id;
