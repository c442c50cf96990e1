/** A run: a named stretch of work on a task, or the record of a loop's policy. */
import { type JsonObject, parseStored } from "./json.ts";

export const RUN_STATUSES = ["active", "finished", "failed", "abandoned"] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

/** A row of `runs`. */
export interface Run {
  readonly id: string;
  readonly task_id: string;
  readonly name: string;
  readonly purpose: string | null;
  readonly status: RunStatus;
  readonly started_at: string;
  readonly ended_at: string | null;
  readonly metadata_json: string;
}

/** A run as commands print it: the metadata as an object. */
export type RunRecord = Omit<Run, "metadata_json"> & { readonly metadata: JsonObject };

export const runRecord = ({ metadata_json, ...run }: Run): RunRecord => ({ ...run, metadata: parseStored<JsonObject>(metadata_json, {}) });
