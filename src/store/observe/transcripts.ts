/** `terminal_captures` and `transcript_segments`: the screens of a task's worker and manager, and of each what was new on it. */
import { compactJson } from "../../core/json.ts";
import type { Role } from "../../core/sessions/session.ts";
import type { Segment, TranscriptMode } from "../../core/observe/transcript-delta.ts";
import { byteCount } from "../../core/text-size.ts";
import { addEvent } from "../record/events.ts";
import { type Store, tx } from "../store.ts";
import { addTelemetry } from "../record/telemetry.ts";

interface PreviousCapture {
  readonly id: number;
  readonly content_sha256: string;
  /** null: pruned. */
  readonly content: string | null;
}

/** The newest terminal capture of the task in this role, or null. */
export const previousCapture = (store: Store, taskId: string, role: Role): PreviousCapture | null =>
  store.db
    .query<PreviousCapture, [string, string]>(
      "select id, content_sha256, content from terminal_captures where task_id = ? and role = ? order by id desc limit 1",
    )
    .get(taskId, role);

/** Whether anything that says something was kept of this role's terminal. */
export const hasTranscript = (store: Store, taskId: string, role: Role): boolean =>
  store.db
    .query<{ segment_text: string | null }, [string, string]>(
      "select segment_text from transcript_segments where task_id = ? and role = ? and line_count > 0",
    )
    .all(taskId, role)
    .some(({ segment_text }) => segment_text === null || segment_text.trim() !== "");

interface NewTerminalCapture {
  readonly taskId: string;
  readonly role: Role;
  /** Rows of `workers` or `managers`; null for registered sessions. */
  readonly workerId: string | null;
  readonly managerId: string | null;
  readonly tmuxSession: string;
  readonly paneId: string;
  readonly historyLines: number;
  readonly content: string;
  readonly sha256: string;
  readonly lineCount: number;
  readonly classifier: Record<string, unknown>;
  readonly source: string;
}

/** Stores a capture with telemetry, event and observation. Call it inside a transaction. */
export function addTerminalCapture(store: Store, capture: NewTerminalCapture): { id: number; observationId: number; capturedAt: string } {
  const { taskId, role, workerId, managerId, source } = capture;
  const bytes = byteCount(capture.content);
  const now = store.now();
  const id = Number(
    store.db
      .query(
        `insert into terminal_captures (task_id, worker_id, manager_id, role, tmux_session, tmux_pane_id, captured_at, history_lines,
          content_sha256, content,
           byte_count, line_count, classifier_json, source)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        taskId,
        workerId,
        managerId,
        role,
        capture.tmuxSession,
        capture.paneId,
        now,
        capture.historyLines,
        capture.sha256,
        capture.content,
        bytes,
        capture.lineCount,
        compactJson(capture.classifier),
        source,
      ).lastInsertRowid,
  );
  const facts = {
    byte_count: bytes,
    content_sha256: capture.sha256,
    history_lines: capture.historyLines,
    line_count: capture.lineCount,
    role,
    source,
  };
  addTelemetry(store, {
    type: "terminal_capture_recorded",
    taskId,
    summary: `terminal of the ${role} captured`,
    correlation: { capture_id: id, manager_id: managerId, worker_id: workerId },
    attributes: { ...facts, tmux_session: capture.tmuxSession },
  });
  addEvent(store, {
    type: `${role}_terminal_captured`,
    taskId,
    workerId,
    managerId,
    payload: { ...facts, capture_id: id, tmux_session: capture.tmuxSession },
  });
  const observationId = Number(
    store.db
      .query(
        `insert into agent_observations (task_id, worker_id, manager_id, role, observation_type, severity, source_capture_id,
          created_at, message, payload_json)
         values (?, ?, ?, ?, 'capture', 'info', ?, ?, ?, ?)`,
      )
      .run(
        taskId,
        workerId,
        managerId,
        role,
        id,
        now,
        `terminal of the ${role} captured`,
        compactJson({ ...facts, classifier: capture.classifier }),
      ).lastInsertRowid,
  );
  return { id, observationId, capturedAt: now };
}

export interface SegmentSummary {
  readonly id: number;
  readonly line_count: number;
  readonly mode: TranscriptMode;
  readonly previous_capture_id: number | null;
  readonly segment_kind: Segment["kind"];
  readonly source_capture_id: number;
}

/** Stores what a capture showed that was new, with telemetry. Call it inside the transaction of the capture. */
export function addSegment(
  store: Store,
  of: {
    taskId: string;
    role: Role;
    mode: TranscriptMode;
    captureId: number;
    previousId: number | null;
    sha256: string;
    capturedAt: string;
  },
  segment: Segment,
): SegmentSummary {
  const id = Number(
    store.db
      .query(
        `insert into transcript_segments (task_id, role, source_capture_id, previous_capture_id, captured_at, content_sha256,
          segment_text, segment_start_line,
           segment_end_line, byte_count, line_count, retention_class, segment_kind, redacted, created_at)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'hot', ?, 0, ?)`,
      )
      .run(
        of.taskId,
        of.role,
        of.captureId,
        of.previousId,
        of.capturedAt,
        of.sha256,
        segment.text,
        segment.start,
        segment.end,
        segment.byteCount,
        segment.lineCount,
        segment.kind,
        store.now(),
      ).lastInsertRowid,
  );
  addTelemetry(store, {
    type: "transcript_segment_recorded",
    taskId: of.taskId,
    summary: `${segment.kind} of the ${of.role}'s transcript kept`,
    correlation: { previous_capture_id: of.previousId, segment_id: id, source_capture_id: of.captureId },
    attributes: { byte_count: segment.byteCount, line_count: segment.lineCount, mode: of.mode, role: of.role, segment_kind: segment.kind },
  });
  return {
    id,
    line_count: segment.lineCount,
    mode: of.mode,
    previous_capture_id: of.previousId,
    segment_kind: segment.kind,
    source_capture_id: of.captureId,
  };
}

export interface SegmentRow {
  readonly id: number;
  readonly task_id: string;
  readonly role: Role;
  readonly source_capture_id: number;
  readonly previous_capture_id: number | null;
  readonly captured_at: string;
  readonly content_sha256: string;
  readonly segment_text: string | null;
  readonly segment_start_line: number | null;
  readonly segment_end_line: number | null;
  readonly byte_count: number;
  readonly line_count: number;
  readonly retention_class: string;
  readonly segment_kind: string;
  readonly redacted: boolean;
  readonly created_at: string;
}

/** The newest `limit` segments of the task (-1: all), oldest first. */
export const listSegments = (store: Store, taskId: string, role: Role | null, limit: number): SegmentRow[] =>
  store.db
    .query<Omit<SegmentRow, "redacted"> & { redacted: number }, [string, string | null, string | null, number]>(
      "select * from transcript_segments where task_id = ? and (? is null or role = ?) order by id desc limit ?",
    )
    .all(taskId, role, role, limit)
    .reverse()
    .map((row) => ({ ...row, redacted: row.redacted === 1 }));

/** Segments with text beyond the newest `keep` of each role. */
const oldSegments = (store: Store, taskId: string, keep: number): number[] =>
  store.db
    .query<{ id: number }, [string, number]>(
      `select id from (select id, row_number() over (partition by role order by id desc) as nth from transcript_segments
        where task_id = ? and segment_text is not null)
       where nth > ? order by id`,
    )
    .all(taskId, keep)
    .map((row) => row.id);

/**
 * Takes the text from old segments of the task, and from the captures they came from, with an event when there were any.
 * @returns how many segments there are; with `dryRun` nothing is changed
 */
export function pruneSegments(store: Store, taskId: string, keep: number, dryRun: boolean): number {
  return tx(store, () => {
    const ids = oldSegments(store, taskId, keep);
    if (dryRun || ids.length === 0) return ids.length;
    const update = store.db.query(
      "update transcript_segments set segment_text = null, retention_class = 'cold', segment_kind = 'metadata' where id = ?",
    );
    for (const id of ids) update.run(id);
    // A capture repeats the text of its segment and of those before it on the screen.
    store.db
      .query(
        `update terminal_captures set content = null where task_id = ?1 and content is not null
           and id <= (select max(source_capture_id) from transcript_segments s where s.task_id = ?1 and s.role = terminal_captures.role
             and s.id in (select value from json_each(?2)))`,
      )
      .run(taskId, JSON.stringify(ids));
    addEvent(store, { type: "transcript_segments_pruned", taskId, payload: { keep_latest: keep, segment_ids: ids } });
    return ids.length;
  });
}
