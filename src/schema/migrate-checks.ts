/** Values that later versions allow in a column that an older CHECK refuses. */
import type { Database } from "bun:sqlite";
import { definitionOf, rebuild } from "./rebuild.ts";

const allowed: readonly (readonly [table: string, value: string])[] = [
  ["telemetry_events", "'dispatch'"],
  ["commands", "'blocked'"],
  ["command_attempts", "'blocked'"],
];

/** Rebuilds the tables whose CHECK does not know the value. */
export function widenChecks(db: Database): void {
  for (const [table, value] of allowed) if (!definitionOf(db, table).includes(value)) rebuild(db, table);
}
