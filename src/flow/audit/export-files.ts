/** What an export of a task consists of: each file by name, made while it is written. */
import { type Entry } from "../../core/audit/replay.ts";
import type { Shown } from "../../core/row.ts";
import { integrity } from "../../core/tasks/task-state.ts";
import type { Task } from "../../core/tasks/task.ts";
import type { TelemetryEvent } from "../../core/telemetry.ts";
import { AUDIT_KEYS, auditRows, prompts, transcriptCaptures } from "../../store/audit/audit.ts";
import { chainHead } from "../../store/record/chain.ts";
import { exportedLinks } from "../../store/audit/chain-export.ts";
import { correlationChains } from "../../store/audit/correlation.ts";
import { latestHandoff } from "../../store/tasks/handoffs.ts";
import { findConfig } from "../../store/tasks/manager-configs.ts";
import { countMutations, mutations } from "../../store/tasks/mutations.ts";
import { replayEntries } from "../../store/audit/replay.ts";
import { latestStatus } from "../../store/compat/statuses.ts";
import type { Store } from "../../store/store.ts";
import { partiesOf } from "../../store/tasks/task-state.ts";
import { budgetOf } from "../../store/tasks/tasks.ts";
import { listTelemetry } from "../../store/reports/telemetry-list.ts";
import { summariseTelemetry } from "../../store/reports/telemetry-summary.ts";
import { jsonParts, Late, Stream } from "../../view/json-stream.ts";
import { telemetryReport, transcriptText } from "../../view/audit/export.ts";

/** How many telemetry events an export holds unless all are asked for: the oldest. */
export const TELEMETRY_LIMIT = 10_000;

export interface ExportOptions {
  readonly transcripts: boolean;
  readonly fullTranscripts: boolean;
  readonly allTelemetry: boolean;
}

/** Treats a value or text on its way into a file. */
export interface Mask {
  value(value: unknown): unknown;
  text(text: string): string;
}

export interface ExportFile {
  readonly name: string;
  readonly parts: () => Iterable<string>;
}

/** How the task stands, without what only holds at this moment: the same state must give the same bytes. */
function taskStatus(store: Store, task: Task) {
  const parties = partiesOf(store, task.id);
  return {
    ...task,
    integrity: integrity(task, parties),
    budget: budgetOf(store, task.id),
    worker: parties.worker,
    manager: parties.manager,
    manager_config: findConfig(store, task.id),
    worker_handoff: latestHandoff(store, task.id),
    worker_status: parties.worker && latestStatus(store, parties.worker.name),
  };
}

/** All files but the manifest, in the order they are written. Read them inside one snapshot. */
export function exportFiles(store: Store, task: Task, options: ExportOptions, mask: Mask): ExportFile[] {
  const { id } = task;
  const full = options.fullTranscripts;
  const stream = (members: () => Iterable<unknown>) =>
    new Stream(function* () {
      for (const member of members()) yield mask.value(member);
    });
  const json = (name: string, value: () => unknown): ExportFile => ({
    name,
    *parts() {
      yield* jsonParts(value());
      yield "\n";
    },
  });
  const table = (name: string, members: () => Iterable<unknown>) => json(name, () => stream(members));
  const text = (name: string, lines: () => Iterable<string>): ExportFile => ({
    name,
    *parts() {
      for (const line of lines()) yield mask.text(`${line}\n`);
    },
  });
  const rows = (key: (typeof AUDIT_KEYS)[number]) => () => auditRows(store, key, id, full);
  const replay = (format: "timeline" | "full-transcript") => () => {
    let count = 0;
    const counted = function* (): Generator<Entry> {
      for (const entry of replayEntries(store, id, { format, role: "all" })) {
        count++;
        yield entry;
      }
    };
    return { entries: stream(counted), entry_count: new Late(() => count), mode: format, role: "all", task: mask.value(task) };
  };
  const events = (): Iterable<TelemetryEvent> =>
    listTelemetry(store, { taskId: id }, { limit: options.allTelemetry ? undefined : TELEMETRY_LIMIT });
  const segments = (role: string) =>
    function* (): Generator<Shown> {
      for (const row of auditRows(store, "transcript_segments", id, true)) if (row.role === role) yield row;
    };

  return [
    json("task-status.json", () => mask.value(taskStatus(store, task))),
    json("audit.json", () => ({
      ...Object.fromEntries(AUDIT_KEYS.map((key) => [key, stream(rows(key))])),
      correlation_chains: stream(() => correlationChains(store, id)),
      task: mask.value(task),
    })),
    table("acceptance-criteria.json", rows("acceptance_criteria")),
    table("commands.json", rows("commands")),
    table("command-attempts.json", rows("command_attempts")),
    table("routed-notifications.json", rows("routed_notifications")),
    table("manager-decisions.json", rows("manager_decisions")),
    table("correlation-chains.json", () => correlationChains(store, id)),
    table("prompts.json", () => prompts(store, id)),
    table("transcript-captures.json", () => transcriptCaptures(store, id, full)),
    table("terminal-captures.json", rows("terminal_captures")),
    table("agent-observations.json", rows("agent_observations")),
    table("manager-cycles.json", rows("manager_cycles")),
    table("manager-cycle-spans.json", rows("manager_cycle_spans")),
    json("mutation-audit.json", () => {
      const summary = countMutations(store, id);
      return {
        ok: summary.with_warnings === 0,
        records: stream(() => mutations(store, id)),
        summary: { ...summary },
        task: mask.value(task),
      };
    }),
    json("replay.json", replay("timeline")),
    table("telemetry-events.json", events),
    json("telemetry-summary.json", () => mask.value(summariseTelemetry(store, { taskId: id }))),
    text("telemetry-report.md", () =>
      telemetryReport(task, summariseTelemetry(store, { taskId: id }), events(), options.allTelemetry ? null : TELEMETRY_LIMIT),
    ),
    json("audit-chain.json", () => {
      const end = chainHead(store, id);
      return { head: end?.head ?? null, links: new Stream(() => (end ? exportedLinks(store, end) : [])), task_id: id };
    }),
    ...(options.transcripts || full ? [table("transcript-segments.json", () => auditRows(store, "transcript_segments", id, true))] : []),
    ...(full
      ? [
          json("replay-full-transcript.json", replay("full-transcript")),
          text("transcripts/worker.txt", () => transcriptText(segments("worker")())),
          text("transcripts/manager.txt", () => transcriptText(segments("manager")())),
        ]
      : []),
  ];
}
