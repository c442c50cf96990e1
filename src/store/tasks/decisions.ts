/** `manager_decisions`: what a manager decided and why. */
import { keysOf } from "../../core/dispatch/command-facts.ts";
import { type Decision, type DecisionCheck, type DecisionKind, checkDecision } from "../../core/tasks/decision.ts";
import { Failure } from "../../core/failure.ts";
import { compactJson, type JsonObject, parseStored } from "../../core/json.ts";
import type { Task } from "../../core/tasks/task.ts";
import { instant } from "../../core/time.ts";
import { addSpans } from "../observe/cycles.ts";
import { addEvent } from "../record/events.ts";
import { type Store, tx } from "../store.ts";
import { addTelemetry } from "../record/telemetry.ts";

const decisionById = (store: Store, id: number): Decision | null => {
  const row = store.db
    .query<Omit<Decision, "payload"> & { payload_json: string }, [number]>("select * from manager_decisions where id = ?")
    .get(id);
  if (!row) return null;
  const { payload_json, ...rest } = row;
  return { ...rest, payload: parseStored<JsonObject>(payload_json, {}) };
};

/** Whether the decision of this id covers an action of one of the `allowed` kinds on the task, now. */
export const coveringDecision = (store: Store, taskId: string, id: number | undefined, allowed: readonly DecisionKind[]): DecisionCheck =>
  checkDecision({
    id: id ?? null,
    found: id === undefined ? null : decisionById(store, id),
    taskId,
    allowed,
    nowMs: instant(store.now())!,
  });

interface NewDecision {
  readonly decision: DecisionKind;
  readonly reason: string;
  readonly payload?: Record<string, unknown>;
  readonly cycleId?: number | undefined;
}

/** Inserts a decision of the task's newest running manager of the older kind (of nobody, when there is none) with its telemetry. */
export function insertDecision(store: Store, taskId: string, input: NewDecision): Decision {
  return tx(store, () => {
    const manager =
      store.db
        .query<{ id: string }, [string]>(
          `select id from managers where task_id = ? and state in ('starting', 'ready', 'stopping') order by julianday(started_at) desc,
              rowid desc limit 1`,
        )
        .get(taskId)?.id ?? null;
    const payload = input.payload ?? {};
    const id = Number(
      store.db
        .query(
          `insert into manager_decisions (task_id, manager_id, manager_cycle_id, decision, reason, created_at, payload_json) values (?,
              ?, ?, ?, ?, ?, ?)`,
        )
        .run(taskId, manager, input.cycleId ?? null, input.decision, input.reason, store.now(), compactJson(payload)).lastInsertRowid,
    );
    addTelemetry(store, {
      type: "manager_decision_recorded",
      actor: manager === null ? "workerctl" : "manager",
      taskId,
      summary: `manager decided: ${input.decision}`,
      correlation: { decision_id: id, manager_cycle_id: input.cycleId ?? null, manager_id: manager },
      attributes: { decision: input.decision, reason: input.reason, payload },
    });
    return decisionById(store, id)!;
  });
}

/**
 * Records a decision: row, telemetry, event, and with a cycle a span of that cycle.
 * @throws Failure when the cycle is not one of this task
 */
export function recordDecision(store: Store, task: Task, input: NewDecision): Decision {
  return tx(store, () => {
    const { cycleId } = input;
    if (cycleId !== undefined && !store.db.query("select 1 from manager_cycles where id = ? and task_id = ?").get(cycleId, task.id)) {
      throw new Failure(`task ${JSON.stringify(task.name)} has no manager cycle ${cycleId}`, {
        hint: "the cycle_id that the cycle command printed, or leave --cycle-id out",
      });
    }
    const decision = insertDecision(store, task.id, input);
    addEvent(store, {
      type: "manager_decision_recorded",
      taskId: task.id,
      managerId: decision.manager_id,
      payload: {
        decision_id: decision.id,
        decision: decision.decision,
        reason: decision.reason,
        manager_cycle_id: decision.manager_cycle_id,
      },
    });
    if (cycleId !== undefined) {
      const at = { startedAt: decision.created_at, completedAt: decision.created_at, durationMs: 0 };
      addSpans(store, { id: cycleId, taskId: task.id }, [
        { ...at, phase: "manager_decision", state: "succeeded", attributes: { decision: decision.decision }, decisionId: decision.id },
      ]);
    }
    return decision;
  });
}

/** A decision as reports list it: why, but not with what. */
interface DecisionFacts {
  readonly id: number;
  readonly task_id: string;
  readonly manager_id: string | null;
  readonly manager_cycle_id: number | null;
  readonly decision: string;
  readonly reason: string;
  readonly created_at: string;
  readonly payload_keys: string[];
}

/** The task's decisions, newest first. */
export const newestDecisions = (store: Store, taskId: string, limit: number): DecisionFacts[] =>
  store.db
    .query<Omit<DecisionFacts, "payload_keys"> & { payload_json: string }, [string, number]>(
      "select * from manager_decisions where task_id = ? order by id desc limit ?",
    )
    .all(taskId, limit)
    .map(({ payload_json, ...row }) => ({ ...row, payload_keys: keysOf(parseStored<unknown>(payload_json, {})) }));
