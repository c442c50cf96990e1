/** How each record is told in a replay: who, what kind, which details, and one sentence. */
import { keysOf } from "../dispatch/command-facts.ts";
import type { Chain } from "./correlation.ts";
import { isObject, type JsonObject } from "../json.ts";
import { commandActor, type Entry, neutral, quote } from "./replay.ts";
import type { Shown } from "../row.ts";
import { told, TOLD } from "./told-events.ts";
import { screenExcerpt, screenVerdict } from "./screen-excerpt.ts";

const pick = (row: Shown, ...keys: string[]): Record<string, unknown> => Object.fromEntries(keys.map((key) => [key, row[key] ?? null]));
const objectOf = (value: unknown): JsonObject => (isObject(value) ? value : {});
const time = (...values: unknown[]): string | null =>
  (values.find((value) => typeof value === "string" && value !== "") as string | undefined) ?? null;
const id = (row: Shown): number => row.id as number;
const sentence = (...parts: (string | false | null | undefined)[]): string => parts.filter(Boolean).join(" ");
const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

function commandSummary(row: Shown): string {
  const [result, payload] = [objectOf(row.result), objectOf(row.payload)];
  const said = (...keys: string[]) =>
    keys.flatMap((key) => [result[key], payload[key]]).find((value) => typeof value === "string" && value !== "");
  switch (row.type) {
    case "promote":
      return `Promoted worker ${quote(said("worker"))} under manager session ${quote(said("manager_session"))}`;
    case "task_interrupt":
      return told("Interrupted", said("followup", "message"));
    case "task_nudge":
      return told("Nudged", said("message", "followup"));
    case "finish_task": {
      const stopped =
        [result.killed_manager, result.stop_manager, payload.stop_manager].find((value) => typeof value === "boolean") === true;
      const came = row.state === "succeeded" ? "Finished" : `Finishing ${row.state}`;
      return sentence(
        told(came, said("reason")),
        `(manager ${stopped ? "stopped" : "not stopped"})`,
        row.error ? `(${quote(row.error)})` : null,
      );
    }
    case "close_manager":
      return told("Manager closed", said("reason"));
    default:
      return sentence(`Command ${quote(row.type)}`, String(row.state), row.error ? `(${quote(row.error)})` : null);
  }
}

export const commandEntry = (row: Shown): Entry => ({
  actor: commandActor(String(row.type)),
  details: { command_id: row.id, ...pick(row, "state", "type") },
  kind: row.type === "finish_task" ? "finish" : "command",
  source: "commands",
  source_id: row.id as string,
  summary: commandSummary(row),
  timestamp: time(row.created_at),
});

export const attemptEntry = (row: Shown): Entry => ({
  actor: "dispatch",
  details: {
    attempt_id: row.id,
    ...pick(
      row,
      "command_id",
      "correlation_id",
      "dispatcher_id",
      "error",
      "result",
      "side_effect_completed",
      "side_effect_started",
      "state",
    ),
  },
  kind: "command_attempt",
  source: "command_attempts",
  source_id: id(row),
  summary: told(`Attempt ${row.id} by ${quote(row.dispatcher_id)} ${row.state}`, row.error),
  timestamp: time(row.started_at),
});

const NOTIFICATION = [
  "command_id",
  "correlation_id",
  "signal_type",
  "state",
  "delivery_mode",
  "delivered_at",
  "consumed_at",
  "consumed_by_session_id",
  "consumed_by_session_name",
  "source_session_id",
  "source_session_name",
  "target_session_id",
  "target_session_name",
];

export const notificationEntry = (row: Shown): Entry => ({
  actor: "dispatch",
  details: { notification_id: row.id, ...pick(row, ...NOTIFICATION) },
  kind: "routed_notification",
  source: "routed_notifications",
  source_id: id(row),
  summary: told(
    sentence(
      `${quote(row.signal_type)} from ${quote(row.source_session_name)} to ${quote(row.target_session_name)}: ${row.state} ` +
        `(${row.delivery_mode})`,
      row.consumed_at !== null && `consumed${row.consumed_by_session_name === null ? "" : ` by ${quote(row.consumed_by_session_name)}`}`,
    ),
    row.error,
  ),
  timestamp: time(row.delivered_at, row.created_at),
});

export const chainEntry = (chain: Chain): Entry => ({
  actor: "dispatch",
  details: { ...chain },
  kind: "correlation_chain",
  source: "correlation_chains",
  source_id: chain.command_id ?? chain.correlation_id ?? ("source_event_id" in chain ? chain.source_event_id : null),
  summary: [
    `Chain of ${quote(chain.command_type)} ${chain.command_state}`,
    `decision ${chain.manager_decision_id ?? "none"}`,
    `cycle ${chain.manager_cycle_id ?? "none"}`,
    counted(chain.attempt_ids.length, "attempt"),
    counted(chain.routed_notification_ids.length, "notification"),
  ].join(", "),
  timestamp: time(chain.created_at),
});

export const decisionEntry = (row: Shown): Entry => ({
  actor: "manager",
  details: pick(row, "decision", "manager_cycle_id"),
  kind: "decision",
  source: "manager_decisions",
  source_id: id(row),
  summary: told(`Decided to ${row.decision}`, row.reason),
  timestamp: time(row.created_at),
});

export const acknowledgementEntry = (row: Shown): Entry => ({
  actor: String(row.role),
  details: { ack_id: row.id, ...pick(row, "binding_id", "correlation_id", "revision", "role") },
  kind: "acknowledgement",
  source: "task_acknowledgements",
  source_id: id(row),
  summary: `The ${row.role} acknowledged the task (revision ${row.revision})`,
  timestamp: time(row.created_at),
});

export const continuationEntry = (row: Shown): Entry => ({
  actor: String(row.proposer),
  details: { continuation_id: row.id, correlation_id: row.correlation_id, payload_keys: keysOf(row.payload), revision: row.revision },
  kind: "continuation",
  source: "task_continuations",
  source_id: id(row),
  summary: `The ${row.proposer} proposed how to go on (revision ${row.revision})`,
  timestamp: time(row.created_at),
});

export const reviewEntry = (row: Shown): Entry => ({
  actor: "reviewer",
  details: {
    ...pick(row, "agreement", "verdict", "correlation_id", "worker_continuation_id", "manager_continuation_id"),
    operator_routing_required: objectOf(row.subagent_run).operator_routing_required ?? false,
  },
  kind: "continuation_review",
  source: "continuation_reviews",
  source_id: id(row),
  summary: told(`Continuations ${row.agreement}, verdict ${row.verdict}`, row.rationale),
  timestamp: time(row.created_at),
});

export const epilogueEntry = (row: Shown): Entry => ({
  actor: "manager",
  details: pick(row, "correlation_id", "error", "state", "step_name"),
  kind: "epilogue",
  source: "epilogue_runs",
  source_id: id(row),
  summary: told(`Epilogue ${quote(row.step_name)} ${row.state}`, row.error),
  timestamp: time(row.finished_at, row.started_at),
});

const CRITERION = [
  "criterion_id",
  "criterion",
  "status",
  "previous_status",
  "source",
  "task_id",
  "proof",
  "previous_proof",
  "rationale",
  "previous_rationale",
  "evidence",
  "previous_evidence",
  "created",
];

function criterionEntry(row: Shown): Entry {
  const payload = objectOf(row.payload);
  const { status, previous_status: previous } = payload;
  const change = previous === undefined || previous === null ? `added as ${status}` : `${previous} -> ${status}`;
  const reason = status === "satisfied" ? payload.proof : status === "deferred" || status === "rejected" ? payload.rationale : null;
  return {
    actor: String(row.actor),
    details: {
      event_type: row.type,
      ...Object.fromEntries(CRITERION.flatMap((key) => (payload[key] === undefined ? [] : [[key, payload[key]]]))),
    },
    kind: "acceptance_criterion",
    source: "events",
    source_id: id(row),
    summary: sentence(
      told(`Criterion #${payload.criterion_id} ${change}`, payload.criterion),
      typeof reason === "string" && reason !== "" && `(${quote(reason)})`,
    ),
    timestamp: time(row.created_at),
  };
}

/** An event of the log that is told. */
export function eventEntry(row: Shown): Entry {
  const type = String(row.type);
  if (!Object.hasOwn(TOLD, type)) return criterionEntry(row);
  const [kind, words] = TOLD[type]!;
  const payload = objectOf(row.payload);
  return {
    actor: String(row.actor),
    details: { event_type: type, ...payload },
    kind,
    source: "events",
    source_id: id(row),
    summary: words(payload),
    timestamp: time(row.created_at),
  };
}

export function observationEntry(row: Shown): Entry {
  const { worker_session, state, staleness_seconds: staleness, notable_pane_pattern: pattern } = objectOf(row.status);
  const seen = sentence(
    `Observed ${typeof worker_session === "string" ? quote(worker_session) : "the worker"}`,
    typeof state === "string" && quote(state),
    typeof staleness === "number" && `for ${staleness.toFixed(1)} s`,
    typeof pattern === "string" && `[pane pattern: ${neutral(quote(pattern))}]`,
  );
  return {
    actor: "manager",
    details: { cycle_id: row.id, ...pick(row, "state", "worker_capture_id", "manager_capture_id") },
    kind: "observe",
    source: "manager_cycles",
    source_id: id(row),
    summary: row.state === "failed" || row.error ? told(`${seen}, cycle ${row.state}`, row.error) : seen,
    timestamp: time(row.completed_at, row.started_at),
  };
}

export const spanEntry = (row: Shown): Entry => ({
  actor: "manager",
  details: pick(row, "attributes", "command_id", "duration_ms", "error_type", "manager_cycle_id", "manager_decision_id", "run_id", "state"),
  kind: "manager_cycle_span",
  source: "manager_cycle_spans",
  source_id: id(row),
  summary: told(
    `Cycle ${row.manager_cycle_id}: ${quote(row.phase)} ${row.state} in ${Number((row.duration_ms as number).toFixed(1))} ms`,
    row.error_type,
  ),
  timestamp: time(row.completed_at, row.started_at),
});

export const captureEntry = (row: Shown): Entry => ({
  actor: String(row.role),
  details: { capture_id: row.id, ...pick(row, "classifier", "content_sha256", "line_count", "source") },
  kind: "capture",
  source: "terminal_captures",
  source_id: id(row),
  summary: `Screen of the ${row.role}, ${screenVerdict(row.classifier, row.line_count as number)}${typeof row.content === "string" ? `: ${screenExcerpt(row.content)}` : ""}`,
  timestamp: time(row.captured_at),
});

export const segmentEntry = (row: Shown): Entry => ({
  actor: String(row.role),
  content: (row.segment_text as string | null) ?? null,
  details: pick(row, "content_sha256", "line_count", "previous_capture_id", "retention_class", "segment_kind", "source_capture_id"),
  kind: "transcript_segment",
  source: "transcript_segments",
  source_id: id(row),
  summary: `Transcript of the ${row.role}, ${row.segment_kind}, ${counted(row.line_count as number, "line")}`,
  timestamp: time(row.captured_at),
});
