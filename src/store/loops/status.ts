/** What has happened to one loop run, counted by the database. */
import type { Run } from "../../core/loops/run.ts";
import { openBinding } from "../sessions/bindings.ts";
import type { Store } from "../store.ts";

/** The run that a stored mapping belongs to: `runIdOf` of core/loop-run, said in SQL. */
const runIdIn = (column: string): string =>
  `coalesce(${["ralph_loop.run_id", "loop_policy.run_id", "ralph_loop_run_id", "loop_run_id", "run_id"]
    .map((place) => `iif(json_type(${column}, '$.${place}') = 'text', nullif(json_extract(${column}, '$.${place}'), ''), null)`)
    .join(", ")})`;

const COMMANDS = `
  select state, count(*) as n from commands
  where task_id = ?1 and (${runIdIn("payload_json")} = ?2 or ${runIdIn("result_json")} = ?2)
  group by state order by state`;

const NOTIFICATIONS = `
  select count(*) as total, count(*) filter (where state = 'delivered') as delivered,
    count(*) filter (where state = 'delivered' and consumed_at is null and delivery_mode = 'pull_required' and target_session_id = ?3) as
      unconsumed
  from routed_notifications where task_id = ?1 and ${runIdIn("payload_json")} = ?2`;

const TELEMETRY =
  "select event_type, count(*) as n from telemetry_events where task_id = ?1 and run_id = ?2 group by event_type order by event_type";

const EVIDENCE = `
  select count(*) as total, count(*) filter (where status = 'accepted') as open
  from acceptance_criteria where task_id = ?1 and json_extract(evidence_json, '$.ralph_loop_run_id') = ?2`;

const TYPES = `
  select distinct json_extract(evidence_json, '$.evidence_type') as type
  from acceptance_criteria
  where task_id = ?1 and json_extract(evidence_json, '$.ralph_loop_run_id') = ?2 and json_type(evidence_json, '$.evidence_type') = 'text'`;

const CYCLES = `
  select count(*) filter (where state = 'failed') as failed,
    count(*) filter (where json_type(status_json, '$.pane_signal.captured') = 'false') as blind,
    count(*) filter (where state = 'failed' and (error like '%ingest%' or json_extract(status_json, '$.error_type') like '%ingest%'
      or exists (select 1 from manager_cycle_spans s where s.manager_cycle_id = c.id and s.error_type like '%ingest%'))) as unread
  from manager_cycles c
  where task_id = ?1 and exists (select 1 from manager_cycle_spans s where s.manager_cycle_id = c.id and s.run_id = ?2)`;

const INGEST_TELEMETRY = `
  select count(*) as n from telemetry_events
  where task_id = ?1 and run_id = ?2 and severity in ('warning', 'error') and event_type like '%ingest%'`;

interface LoopCounts {
  readonly commands: { readonly total: number; readonly states: Record<string, number> };
  readonly notifications: { readonly total: number; readonly delivered: number };
  /** Messages that wait in the inbox of the bound worker; what was typed into a pane does not wait. */
  readonly workerUnconsumed: number;
  readonly evidence: { readonly total: number; readonly types: string[] };
  readonly telemetry: Record<string, number>;
  readonly failures: {
    readonly failed_commands: number;
    readonly failed_cycles: number;
    readonly pane_capture_failures: number;
    readonly ingest_errors: number;
    readonly open_accepted_criteria: number;
  };
}

interface Tally {
  readonly n: number;
}

const sum = (counts: Record<string, number>): number => Object.values(counts).reduce((all, n) => all + n, 0);

/** Everything that belongs to the run, counted within its task. */
export function loopCounts(store: Store, run: Run): LoopCounts {
  const { db } = store;
  const ids: [string, string] = [run.task_id, run.id];
  const worker = openBinding(store, run.task_id)?.worker_session_id ?? null;
  const states = Object.fromEntries(
    db
      .query<Tally & { state: string }, [string, string]>(COMMANDS)
      .all(...ids)
      .map(({ state, n }) => [state, n]),
  );
  const mail = db
    .query<{ total: number; delivered: number; unconsumed: number }, [string, string, string | null]>(NOTIFICATIONS)
    .get(...ids, worker)!;
  const telemetry = Object.fromEntries(
    db
      .query<Tally & { event_type: string }, [string, string]>(TELEMETRY)
      .all(...ids)
      .map(({ event_type, n }) => [event_type, n]),
  );
  const evidence = db.query<{ total: number; open: number }, [string, string]>(EVIDENCE).get(...ids)!;
  const types = db
    .query<{ type: string }, [string, string]>(TYPES)
    .all(...ids)
    .map(({ type }) => type);
  const cycles = db.query<{ failed: number; blind: number; unread: number }, [string, string]>(CYCLES).get(...ids)!;
  const ingest = db.query<Tally, [string, string]>(INGEST_TELEMETRY).get(...ids)!;
  return {
    commands: { total: sum(states), states },
    notifications: { total: mail.total, delivered: mail.delivered },
    workerUnconsumed: mail.unconsumed,
    evidence: { total: evidence.total, types: types.sort() },
    telemetry,
    failures: {
      failed_commands: states.failed ?? 0,
      failed_cycles: cycles.failed,
      pane_capture_failures: cycles.blind,
      ingest_errors: ingest.n + cycles.unread,
      open_accepted_criteria: evidence.open,
    },
  };
}
