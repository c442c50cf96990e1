/** `transcript_captures`: the screens of workers over time; content is kept only where it differs from the one before. */
import { addEvent } from "../record/events.ts";
import { type Store, tx } from "../store.ts";
import { addTelemetry } from "../record/telemetry.ts";
import { putWorker, type SeenWorker } from "../compat/workers.ts";

export interface CaptureMeta {
  readonly sha256: string;
  readonly captured_at: string;
  /** When the digest was first seen. */
  readonly changed_at: string;
  readonly history_lines: number;
}

/** The newest capture of the worker of this name, or null. */
export const latestCapture = (store: Store, name: string): CaptureMeta | null =>
  store.db
    .query<CaptureMeta, [string]>(
      `select c.sha256, c.captured_at, c.changed_at, c.history_lines from workers w join transcript_captures c on c.worker_id = w.id
       where w.name = ? order by c.id desc limit 1`,
    )
    .get(name);

interface NewCapture {
  readonly content: string;
  readonly sha256: string;
  readonly byteCount: number;
  readonly lineCount: number;
  readonly historyLines: number;
  /** The capture before, which may be known from a file only. */
  readonly previous: CaptureMeta | null;
}

/** Stores a capture with its telemetry and puts its worker on record. Call it inside a transaction. */
export function addCapture(store: Store, worker: SeenWorker, capture: NewCapture): CaptureMeta {
  const workerId = putWorker(store, worker);
  const now = store.now();
  const changed = capture.previous?.sha256 !== capture.sha256;
  const meta: CaptureMeta = {
    sha256: capture.sha256,
    captured_at: now,
    changed_at: changed ? now : capture.previous!.changed_at,
    history_lines: capture.historyLines,
  };
  const { lastInsertRowid } = store.db
    .query(
      `insert into transcript_captures (worker_id, sha256, content, captured_at, changed_at, history_lines, byte_count, line_count, capture_kind, retention_class)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, 'hot')`,
    )
    .run(
      workerId,
      meta.sha256,
      changed ? capture.content : null,
      meta.captured_at,
      meta.changed_at,
      meta.history_lines,
      capture.byteCount,
      capture.lineCount,
      changed ? "changed" : "metadata_only",
    );
  addTelemetry(store, {
    type: "transcript_capture_recorded",
    summary: `terminal of ${worker.name} captured`,
    correlation: { capture_id: Number(lastInsertRowid), worker_id: workerId },
    attributes: {
      byte_count: capture.byteCount,
      changed,
      history_lines: capture.historyLines,
      line_count: capture.lineCount,
      retention_class: "hot",
    },
  });
  return meta;
}

/**
 * Takes the content from all but the newest `keep` content-bearing captures of every worker, with an event when there were any.
 * @returns how many there are; with `dryRun` nothing is changed
 */
export function pruneCaptures(store: Store, keep: number, dryRun: boolean): number {
  return tx(store, () => {
    const ids = store.db
      .query<{ id: number }, [number]>(
        `select id from (select id, row_number() over (partition by worker_id order by id desc) as nth from transcript_captures where content is not null)
         where nth > ? order by id`,
      )
      .all(keep)
      .map((row) => row.id);
    if (dryRun || ids.length === 0) return ids.length;
    const update = store.db.query(
      "update transcript_captures set content = null, capture_kind = 'metadata_only', retention_class = 'warm' where id = ?",
    );
    for (const id of ids) update.run(id);
    addEvent(store, { type: "transcript_captures_pruned", payload: { capture_ids: ids, keep_latest: keep } });
    return ids.length;
  });
}
