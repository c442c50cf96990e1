/** The chain over the rows of the audit: what of a row is sealed, and what a look at the chain may find. */
import { compactJson } from "./json.ts";
import type { Shown } from "./row.ts";

export type ChainTable = "events" | "telemetry_events";

const COLUMNS = {
  events: ["id", "created_at", "actor", "command_id", "correlation_id", "task_id", "worker_id", "manager_id", "type", "payload"],
  telemetry_events: ["id", "run_id", "task_id", "timestamp", "actor", "event_type", "severity", "summary", "correlation", "attributes"],
} as const satisfies Record<ChainTable, readonly string[]>;

const OBJECTS: ReadonlySet<string> = new Set(["payload", "correlation", "attributes"]);

/**
 * The text of a row that is sealed: every column in its order. The same for a row about to be written, as stored, and as shown in an
 * export. Half characters are taken as the database keeps them.
 */
export const sealedText = (table: ChainTable, row: Shown): string =>
  JSON.stringify([
    table,
    ...COLUMNS[table].map((column) => {
      const value = row[column] ?? null;
      if (OBJECTS.has(column)) return compactJson(value);
      return typeof value === "string" ? value.toWellFormed() : value;
    }),
  ]);

/** Whether a row has what is sealed and nothing else. */
export const isWhole = (table: ChainTable, row: Shown): boolean =>
  Object.keys(row).length === COLUMNS[table].length && COLUMNS[table].every((column) => Object.hasOwn(row, column));

/** What stands before the first link. */
export const CHAIN_START = "";

/** The text of a link that is hashed: the link before and the row's own hash. */
export const linkText = (before: string, rowHash: string): string => `${before}\n${rowHash}`;

/** A link as an export carries it: enough to follow the chain anywhere. */
export interface ExportedLink {
  readonly hash: string;
  readonly id: number | string;
  /** SHA-256 of the row as it was when it was exported; null when it was gone. */
  readonly row_sha256: string | null;
  readonly table: ChainTable;
}

/** Whether what an export holds in the place of a link has the form of one. */
export const isLink = (value: object): value is ExportedLink => {
  const { hash, id, row_sha256, table } = value as Record<string, unknown>;
  return (
    typeof hash === "string" &&
    ["number", "string"].includes(typeof id) &&
    (row_sha256 === null || typeof row_sha256 === "string") &&
    typeof table === "string" &&
    Object.hasOwn(COLUMNS, table)
  );
};

export interface ChainProblem {
  /**
   * changed: not what was sealed; missing: sealed but gone; unlinked: written past the chain; broken: links are missing; head: not the end
   * that was noted, or not of this chain.
   */
  readonly kind: "changed" | "missing" | "unlinked" | "broken" | "head";
  readonly table: ChainTable | null;
  readonly id: number | string | null;
  readonly message: string;
}

export interface ChainReport {
  readonly ok: boolean;
  /** Hash of the last link; null without links. */
  readonly head: string | null;
  readonly links: number;
  /** Rows that are older than the chain. */
  readonly rows_before_chain: number;
  readonly problem_count: number;
  /** The first of them. */
  readonly problems: readonly ChainProblem[];
}

export const PROBLEMS_SHOWN = 100;
