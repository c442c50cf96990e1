/** Ending a task: what was asked, the gates that may refuse it, and what is told of each. */
import { ackCommand } from "./agent-input.ts";
import { type Criterion, hasAdversarialProof, openCriteria, summariseCriteria } from "./criteria.ts";
import type { DecisionCheck } from "./decision.ts";
import { type EpilogueRun, type EpilogueStatus, epilogueStatus } from "./epilogue.ts";
import type { EpilogueStep } from "./manager-config.ts";
import { oneLine } from "../plain-text.ts";
import type { Role } from "../sessions/session.ts";
import { quoteWord } from "../shell.ts";
import type { Task } from "./task.ts";

export interface FinishOrder {
  /** Finish the task, or stop it unfinished. */
  readonly kind: "finish" | "stop";
  readonly reason: string;
  readonly message: string | null;
  readonly stopWorker: boolean;
  readonly stopManager: boolean;
  readonly decisionId: number | undefined;
  readonly strictDecisions: boolean;
  readonly capture: {
    readonly mode: "metadata" | "excerpt" | "snapshot" | "segment" | "full";
    readonly lines: number;
    readonly required: boolean;
  } | null;
  readonly requireCriteriaAudit: boolean;
  readonly requireAcks: boolean;
  /** Acknowledgements of an older configuration do not count. */
  readonly requireCurrentAcks: boolean;
  readonly requireEpilogue: boolean;
  readonly requireAdversarialProof: boolean;
}

/** The order that asks for no gate and ends nothing but the task. */
export const plainOrder = (kind: FinishOrder["kind"], reason: string): FinishOrder => ({
  kind,
  reason,
  message: null,
  stopWorker: false,
  stopManager: false,
  decisionId: undefined,
  strictDecisions: false,
  capture: null,
  requireCriteriaAudit: false,
  requireAcks: false,
  requireCurrentAcks: false,
  requireEpilogue: false,
  requireAdversarialProof: false,
});

/** Name of the command row, and prefix of its events. */
export const commandType = (order: FinishOrder): "finish_task" | "stop_task" => (order.kind === "finish" ? "finish_task" : "stop_task");

/** An earlier call on the task that has not ended: its process may run, or have died in the middle. */
export interface OpenCall {
  readonly id: string;
  readonly process: { readonly pid: number; readonly started: string | null } | null;
  readonly stopWorker: boolean;
  readonly stopManager: boolean;
}

/** What was asked, as it is recorded. */
export const askedOf = (order: FinishOrder, task: Task): Record<string, unknown> => ({
  finish: order.kind === "finish",
  task: task.name,
  reason: order.reason,
  message: order.message,
  stop_worker: order.stopWorker,
  stop_manager: order.stopManager,
  capture_transcript_before_stop: order.capture !== null,
  capture_transcript_mode: order.capture?.mode ?? null,
  capture_transcript_lines: order.capture?.lines ?? null,
  require_transcript_segment: order.capture?.required ?? false,
});

interface CriteriaAudit {
  readonly open_criteria: readonly { readonly id: number; readonly criterion: string }[];
  readonly require_criteria_audit: boolean;
  readonly summary: Readonly<Record<string, number>>;
  readonly total: number;
}

export interface AckAudit {
  readonly ok: boolean;
  readonly missing: readonly Role[];
  /** Acknowledged, but not the present configuration. */
  readonly stale: readonly Role[];
  readonly worker_ack_id: number | null;
  readonly manager_ack_id: number | null;
  readonly require_acks: boolean;
}

export interface Audits {
  readonly final_audit: CriteriaAudit;
  readonly final_ack_audit: AckAudit;
  readonly final_epilogue_audit: EpilogueStatus & { readonly require_epilogue: boolean };
}

export const auditCriteria = (criteria: readonly Criterion[], required: boolean): CriteriaAudit => ({
  open_criteria: openCriteria(criteria).map(({ id, criterion }) => ({ id, criterion })),
  require_criteria_audit: required,
  summary: summariseCriteria(criteria),
  total: criteria.length,
});

export const auditEpilogue = (
  configured: readonly EpilogueStep[],
  runs: readonly EpilogueRun[],
  required: boolean,
): Audits["final_epilogue_audit"] => ({
  ...epilogueStatus(configured, runs),
  require_epilogue: required,
});

interface Refusal {
  readonly message: string;
  /** The command that would satisfy the gate. */
  readonly hint: string;
  /** Stage and audit of a refusal that is recorded; null: nothing is. */
  readonly recorded: { readonly stage: string; readonly audit: Readonly<Record<string, unknown>> } | null;
}

/** The first gate that refuses, in the order of the contract, or null. */
export function refusal(
  order: FinishOrder,
  task: Task,
  program: string,
  facts: { criteria: readonly Criterion[]; decision: DecisionCheck; audits: Audits },
): Refusal | null {
  const name = quoteWord(task.name);
  const who = JSON.stringify(task.name);
  const { final_audit, final_ack_audit, final_epilogue_audit } = facts.audits;
  if (order.requireAdversarialProof && !hasAdversarialProof(facts.criteria)) {
    return {
      message: `adversarial proof: no satisfied criterion of task ${who} has evidence of an attempt to disprove it`,
      hint:
        `${program} criteria ${name} --satisfy ID --evidence-json ` +
        '\'{"evidence_type":"adversarial_check","failure_mode":"…","check":"…","result":"…"}\'',
      recorded: null,
    };
  }
  if (order.strictDecisions && !facts.decision.ok) {
    return {
      message: `strict decisions: no decision covers this for task ${who}: ${facts.decision.warnings.join(", ")}`,
      hint: `give the id with --decision-id that this prints: ${program} record-decision ${name} stop --reason TEXT`,
      recorded: null,
    };
  }
  if (order.requireCriteriaAudit && final_audit.open_criteria.length > 0) {
    return {
      message: `criteria: task ${who} has open accepted criteria: ${final_audit.open_criteria.map(({ id, criterion }) => `#${id}: ${oneLine(criterion)}`).join("; ")}`,
      hint: `${program} criteria ${name} --satisfy ${final_audit.open_criteria[0]!.id} --proof TEXT`,
      recorded: { stage: "final_criteria_audit", audit: { final_audit } },
    };
  }
  const unacknowledged = [...final_ack_audit.missing, ...(order.requireCurrentAcks ? final_ack_audit.stale : [])];
  if (final_ack_audit.require_acks && unacknowledged.length > 0) {
    const stale = final_ack_audit.missing.length === 0 ? " of the present configuration" : "";
    return {
      message: `acknowledgements: task ${who} has no acknowledgement${stale} of the ${unacknowledged.join(" and the ")}`,
      hint: unacknowledged.map((role) => ackCommand(program, role, task.name)).join("; "),
      recorded: { stage: "final_ack_audit", audit: { final_ack_audit } },
    };
  }
  if (order.requireEpilogue && !final_epilogue_audit.ok) {
    const { missing_or_incomplete: missing } = final_epilogue_audit;
    return {
      message: `epilogue: task ${who} lacks a succeeded run of ${missing.join(", ")}`,
      hint: `${program} epilogue ${name} --step ${missing[0]}`,
      recorded: { stage: "final_epilogue_audit", audit: { final_epilogue_audit } },
    };
  }
  return null;
}
