/** Commands that change what a worker does or how a task stands, judged by the decisions behind them. */
import { decisionNote, wholeNumber } from "../audit/correlation.ts";
import { isObject, type JsonObject } from "../json.ts";

/** Which decisions allow which command; what is not listed is no mutation. */
export const ALLOWED_DECISIONS: Readonly<Record<string, readonly string[]>> = {
  deregister_session: [],
  extend_nudge_budget: ["escalate"],
  finish_task: ["stop"],
  pause_manager: ["escalate", "stop"],
  request_worker_compact: ["nudge"],
  stop_task: ["stop"],
  task_interrupt: ["interrupt"],
  task_nudge: ["nudge"],
};

export interface MutationCommand {
  readonly id: string;
  readonly type: string;
  readonly state: string;
  readonly created_at: string;
  readonly payload: unknown;
  readonly result: unknown;
}

/** A stored decision, or what a command itself says of one that is not stored. */
export interface LinkedDecision {
  readonly id?: unknown;
  readonly decision?: unknown;
}

export interface MutationRecord {
  readonly allowed_decisions: readonly string[];
  readonly command: Pick<MutationCommand, "id" | "type" | "state" | "created_at">;
  readonly effect: JsonObject;
  readonly expected_failure: boolean;
  readonly linked_decision: LinkedDecision | null;
  readonly nearest_prior_decision: LinkedDecision | null;
  readonly ok: boolean;
  readonly warnings: readonly string[];
}

const objectOf = (value: unknown): JsonObject => (isObject(value) ? value : {});

function effectOf(command: MutationCommand, result: JsonObject, payload: JsonObject): JsonObject {
  const sent = result.send_result;
  const dryRun = isObject(sent) ? (sent.dry_run ?? null) : null;
  const either = (key: string) => result[key] ?? payload[key] ?? null;
  return {
    dry_run: dryRun,
    sent: command.state === "succeeded" && isObject(sent) && dryRun !== true,
    send_text: either("send_text"),
    slash_command: either("slash_command"),
    permission_check: either("permission_check"),
    worker_session: either("worker_session"),
  };
}

/** The check of a decision that the command carries, and the decision it is about. */
function linkOf(
  command: MutationCommand,
  result: JsonObject,
  stored: (id: number) => LinkedDecision | null,
): { check: JsonObject | null; linked: LinkedDecision | null } {
  const final = command.type === "finish_task" && typeof result.final_decision_id === "number" ? stored(result.final_decision_id) : null;
  if (final !== null) return { check: {}, linked: final };
  const check = decisionNote(command.result, command.payload);
  const inner = isObject(check?.decision) ? check.decision : null;
  const id = wholeNumber(check?.decision_id) ?? wholeNumber(inner?.id);
  const own = typeof inner?.decision === "string" ? (inner as LinkedDecision) : null;
  return { check, linked: (id === null ? null : stored(id)) ?? own };
}

const texts = (value: unknown): string[] => (Array.isArray(value) ? value.filter((each) => typeof each === "string") : []);

/** @param stored the task's decision of this id, or null; @param nearest the last decision that was made not after the command */
export function judgeMutation(
  command: MutationCommand,
  stored: (id: number) => LinkedDecision | null,
  nearest: LinkedDecision | null,
): MutationRecord {
  const [result, payload] = [objectOf(command.result), objectOf(command.payload)];
  const allowed = ALLOWED_DECISIONS[command.type] ?? [];
  const expected_failure = Boolean(result.expected_failure) || Boolean(payload.expected_failure);
  const { check, linked } = linkOf(command, result, stored);
  const warnings: string[] = [];
  if (!(expected_failure && command.state === "failed")) {
    if (allowed.length === 0) {
      if (linked !== null) warnings.push("unexpected_linked_decision");
    } else {
      if (check === null) warnings.push("missing_decision_metadata");
      else warnings.push(...texts(check.warnings));
      if (nearest !== null && linked === null) warnings.push("nearest_decision_unlinked");
      if (linked !== null && !allowed.includes(String(linked.decision))) warnings.push("linked_decision_incompatible");
    }
  }
  const { id, type, state, created_at } = command;
  return {
    allowed_decisions: allowed,
    command: { id, type, state, created_at },
    effect: effectOf(command, result, payload),
    expected_failure,
    linked_decision: linked,
    nearest_prior_decision: nearest,
    ok: warnings.length === 0,
    warnings,
  };
}
