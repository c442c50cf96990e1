/** Below version 2 a worker's id was its name. */
import type { Database } from "bun:sqlite";
import type { Migration } from "./migration.ts";
import { columnsOf } from "./rebuild.ts";

const referring = ["bindings", "statuses", "transcript_captures", "commands", "events"];

/** Gives such workers ids of their own; everything that refers to them follows, and the log says so. */
export function giveWorkersIds(db: Database, { from, now, newId }: Migration): void {
  if (from >= 2) return;
  const named = db.query<{ id: string }, []>("select id from workers where id = name order by rowid").all();
  if (named.length === 0) return;
  // The log of events is append-only by trigger; the indexes step brings the triggers back.
  db.run("drop trigger if exists events_no_update");
  const tables = referring.filter((table) => columnsOf(db, table).includes("worker_id"));
  const log = db.query(
    "insert into events (created_at, actor, worker_id, type, payload_json) values (?, 'workerctl', ?, 'worker_id_migrated', ?)",
  );
  for (const { id: before } of named) {
    const after = newId("worker");
    db.query("update workers set id = ? where id = ?").run(after, before);
    for (const table of tables) db.query(`update ${table} set worker_id = ? where worker_id = ?`).run(after, before);
    log.run(now(), after, JSON.stringify({ new_worker_id: after, old_worker_id: before }));
  }
}
