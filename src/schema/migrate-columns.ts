/** Columns that came after the tables that hold them. */
import type { Database } from "bun:sqlite";
import { columnsOf } from "./rebuild.ts";
import { columnSql } from "./schema.ts";

const added: Readonly<Record<string, readonly string[]>> = {
  sessions: ["last_ingest_offset"],
  manager_configs: ["tools_json", "epilogues_json", "nudge_on_completion", "require_acks", "revision"],
  task_acknowledgements: ["manager_config_revision"],
  routed_notifications: [
    "consumed_manager_cycle_id",
    "consumed_by_session_id",
    "consumed_at",
    "delivery_mode",
    "claimed_by",
    "claimed_at",
    "claim_expires_at",
    "side_effect_started",
    "side_effect_completed",
  ],
  commands: [
    "correlation_id",
    "available_at",
    "claimed_by",
    "claimed_at",
    "claim_expires_at",
    "attempts",
    "max_attempts",
    "required_permission",
  ],
};

/** Adds those that are missing; all of them are optional or have a default. */
export function addColumns(db: Database): void {
  for (const [table, columns] of Object.entries(added)) {
    const present = columnsOf(db, table);
    for (const column of columns) if (!present.includes(column)) db.run(`alter table ${table} add column ${columnSql(table, column)}`);
  }
}
