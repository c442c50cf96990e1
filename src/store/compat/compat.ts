/** Bringing workers kept in files into the tables, each part once: `data_migrations` remembers it by path and content. */
import {
  type CompatConfig,
  type CompatFolder,
  compatCaptureMeta,
  compatConfig,
  compatEvents,
  type CompatStatus,
  compatStatus,
} from "../../core/compat/compat.ts";
import { agents } from "../../core/agent/agents.ts";
import { Failure } from "../../core/failure.ts";
import { DEFAULT_AGENT } from "../../core/sessions/session.ts";
import { addEvent } from "../record/events.ts";
import { type Store, tx } from "../store.ts";

interface CompatAction {
  readonly action: "upsert_worker" | "insert_status" | "insert_transcript_capture" | "insert_event" | "skip_invalid_event";
  readonly worker: string;
  readonly line?: number;
}

interface CompatImport {
  readonly worker: string;
  readonly action_count: number;
  readonly actions: readonly CompatAction[];
}

/** A part of a folder that is not in the database yet, and what writes it. The worker's row is there when it is called. */
interface Part {
  readonly action: CompatAction;
  /** Null: nothing is written and nothing remembered. */
  readonly source: { readonly file: string; readonly line?: number; readonly content: string } | null;
  write(workerId: string): void;
}

const sha256 = (text: string): string => new Bun.CryptoHasher("sha256").update(text).digest("hex");

const migrationName = (folder: CompatFolder, source: NonNullable<Part["source"]>): string =>
  ["compat", `${folder.name}/${source.file}`, ...(source.line === undefined ? [] : [source.line]), sha256(source.content)].join(":");

const workerId = (store: Store, name: string): string | null =>
  store.db.query<{ id: string }, [string]>("select id from workers where name = ?").get(name)?.id ?? null;

const upsertWorker = (store: Store, folder: CompatFolder, config: CompatConfig): void => {
  const now = store.now();
  const session = config.tmux_session ?? `${agents[DEFAULT_AGENT].tmuxPrefix}${config.name}`;
  const other = store.db
    .query<{ name: string }, [string, string, string | null]>(
      "select name from workers where name <> ? and (tmux_session = ? or identity_token = ?)",
    )
    .get(config.name, session, config.identity_token);
  if (other !== null)
    throw new Failure(`${folder.path}/config.json names the tmux session or the token of another worker, ${JSON.stringify(other.name)}`);
  store.db
    .query(
      `insert into workers (id, name, tmux_session, tmux_pane_id, identity_token, cwd, state, created_at, updated_at)
       values (?, ?, ?, ?, ?, ?, 'candidate', ?, ?)
       on conflict (name) do update set tmux_session = excluded.tmux_session, tmux_pane_id = coalesce(excluded.tmux_pane_id, tmux_pane_id),
         cwd = iif(?, excluded.cwd, cwd), updated_at = excluded.updated_at`,
    )
    .run(
      store.newId("worker"),
      config.name,
      session,
      config.tmux_pane_id,
      config.identity_token ?? store.newId("workerctl"),
      config.cwd ?? "",
      config.created_at ?? now,
      now,
      config.cwd === null ? 0 : 1,
    );
};

const hasStatus = (store: Store, worker: string | null, status: CompatStatus): boolean =>
  store.db
    .query(
      `select 1 from statuses where worker_id is ? and state = ? and current_task is ? and next_action is ? and blocker is ? and
          created_at is ?`,
    )
    .get(worker, status.state, status.current_task, status.next_action, status.blocker, status.last_update) !== null;

const hasCapture = (store: Store, worker: string | null, hash: string): boolean =>
  store.db.query("select 1 from transcript_captures where worker_id is ? and sha256 = ?").get(worker, hash) !== null;

const lineCount = (text: string): number => text.split("\n").length - (text.endsWith("\n") ? 1 : 0);

/** Everything the folder holds, in the order in which it is written. */
function* parts(store: Store, folder: CompatFolder, config: CompatConfig): Generator<Part> {
  const worker = folder.name;
  const known = workerId(store, config.name);
  yield {
    action: { action: "upsert_worker", worker },
    source: { file: "config.json", content: folder.config },
    write: () => upsertWorker(store, folder, config),
  };
  const status = compatStatus(folder);
  if (status !== null && !hasStatus(store, known, status)) {
    yield {
      action: { action: "insert_status", worker },
      source: { file: "status.json", content: folder.status! },
      write: (id) =>
        store.db
          .query("insert into statuses (worker_id, state, current_task, next_action, blocker, created_at) values (?, ?, ?, ?, ?, ?)")
          .run(id, status.state, status.current_task, status.next_action, status.blocker, status.last_update ?? store.now()),
    };
  }
  const { transcript } = folder;
  if (transcript && !hasCapture(store, known, sha256(transcript))) {
    const meta = compatCaptureMeta(folder);
    yield {
      action: { action: "insert_transcript_capture", worker },
      source: { file: "transcript.txt", content: transcript },
      write(id) {
        const captured = meta.captured_at ?? store.now();
        const lines = lineCount(transcript);
        store.db
          .query(
            `insert into transcript_captures (worker_id, sha256, content, captured_at, changed_at, history_lines, byte_count, line_count, capture_kind, retention_class)
             values (?, ?, ?, ?, ?, ?, ?, ?, 'latest', 'hot')`,
          )
          .run(
            id,
            sha256(transcript),
            transcript,
            captured,
            meta.changed_at ?? captured,
            meta.history_lines ?? lines,
            Buffer.byteLength(transcript),
            lines,
          );
      },
    };
  }
  for (const { line, text, event } of compatEvents(folder)) {
    yield {
      action: { action: event === null ? "skip_invalid_event" : "insert_event", worker, line },
      source: event === null ? null : { file: "events.jsonl", line, content: text },
      write(id) {
        if (event === null) return;
        addEvent(store, {
          type: `compat_${event.type}`,
          actor: "compat",
          workerId: id,
          createdAt: event.time ?? undefined,
          payload: { ...event.payload, source_path: `${folder.path}/events.jsonl` },
        });
      },
    };
  }
}

/** What of one folder is not in the database yet; with `apply` it is written. */
const importFolder = (store: Store, folder: CompatFolder, apply: boolean): CompatImport => {
  const config = compatConfig(folder);
  const actions: CompatAction[] = [];
  for (const part of parts(store, folder, config)) {
    const name = part.source && migrationName(folder, part.source);
    if (name !== null && store.db.query("select 1 from data_migrations where name = ?").get(name) !== null) continue;
    actions.push(part.action);
    if (!apply || name === null) continue;
    part.write(workerId(store, config.name) ?? "");
    store.db
      .query("insert into data_migrations (name, source_path, source_hash, applied_at) values (?, ?, ?, ?)")
      .run(name, `${folder.path}/${part.source!.file}`, sha256(part.source!.content), store.now());
  }
  return { worker: folder.name, action_count: actions.length, actions };
};

/** What of the folders is not in the database yet. Throws a Failure that names the file at fault. */
export const planCompat = (store: Store, folders: readonly CompatFolder[]): CompatImport[] =>
  folders.map((folder) => importFolder(store, folder, false));

/** Writes what `planCompat` finds: all of it or, when one folder is refused, nothing. */
export const importCompat = (store: Store, folders: readonly CompatFolder[]): CompatImport[] =>
  tx(store, () => folders.map((folder) => importFolder(store, folder, true)));
