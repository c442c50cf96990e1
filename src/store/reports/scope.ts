/** What a report is restricted to, as terms of SQL. */
import type { Parameter } from "../reading.ts";

export interface Scope {
  readonly taskId?: string | undefined;
  readonly runId?: string | undefined;
  /** Only tasks that are still being worked on. */
  readonly activeOnly?: boolean | undefined;
  readonly window?: { readonly start: string; readonly end: string } | undefined;
}

interface Terms {
  /** Begins with `where`, or is empty. */
  readonly where: string;
  readonly parameters: Parameter[];
}

export const ACTIVE_STATES = "('candidate', 'managed', 'paused')";

/** A term that finds a run's id in one of the five places where payloads and results name it. */
export const namesRun = (alias: string): string => {
  const paths = ["$.ralph_loop_run_id", "$.loop_run_id", "$.run_id", "$.ralph_loop.run_id", "$.loop_policy.run_id"];
  const places = [`${alias}.payload_json`, `${alias}.result_json`].flatMap((column) =>
    paths.map((path) => `json_extract(${column}, '${path}')`),
  );
  return `? in (${places.join(", ")})`;
};

interface Places {
  /** The column that holds the task's id. */
  readonly task: string;
  /** The expression that is the row's time. */
  readonly time: string;
  /** A term with one `?` for the run's id. */
  readonly run: string;
}

/** The terms for a table whose task, time and run stand in these places; `more` must hold as well. */
export function termsOf({ taskId, runId, activeOnly, window }: Scope, places: Places, more: readonly string[] = []): Terms {
  const terms = [...more];
  const parameters: Parameter[] = [];
  if (taskId !== undefined) {
    terms.push(`${places.task} = ?`);
    parameters.push(taskId);
  }
  if (activeOnly) terms.push(`${places.task} in (select id from tasks where state in ${ACTIVE_STATES})`);
  if (window !== undefined) {
    terms.push(`julianday(${places.time}) between julianday(?) and julianday(?)`);
    parameters.push(window.start, window.end);
  }
  if (runId !== undefined) {
    terms.push(places.run);
    parameters.push(runId);
  }
  return { where: terms.length ? `where ${terms.join(" and ")}` : "", parameters };
}
