/** Ending a task in the records: the transactions in front of the side effects, between them, and at the end. */
import type { DecisionCheck } from "../../core/tasks/decision.ts";
import { Failure } from "../../core/failure.ts";
import {
  type Audits,
  askedOf,
  auditCriteria,
  auditEpilogue,
  commandType,
  type FinishOrder,
  type OpenCall,
  refusal,
} from "../../core/tasks/finish.ts";
import { compactJson, parseStored } from "../../core/json.ts";
import { quoteWord } from "../../core/shell.ts";
import type { Task } from "../../core/tasks/task.ts";
import type { TaskParty } from "../../core/tasks/task-party.ts";
import { auditAcks } from "./acks.ts";
import { activeRunId } from "../record/active-run.ts";
import { createCommand, setCommandState } from "../dispatch/commands.ts";
import { listCriteria } from "./criteria.ts";
import { coveringDecision, insertDecision } from "./decisions.ts";
import { listEpilogueRuns } from "./epilogues.ts";
import { addEvent } from "../record/events.ts";
import { findConfig } from "./manager-configs.ts";
import { finishRun } from "../record/runs.ts";
import { type Store, tx } from "../store.ts";
import { needTask, setTaskState } from "./tasks.ts";
import { addTelemetry } from "../record/telemetry.ts";

interface OpenPayload {
  readonly process?: OpenCall["process"];
  readonly stop_worker?: boolean;
  readonly stop_manager?: boolean;
}

export const openFinishes = (store: Store, taskId: string): OpenCall[] =>
  store.db
    .query<{ id: string; payload_json: string }, [string]>(
      `select id, payload_json from commands where task_id = ? and type in ('finish_task', 'stop_task') and state in ('pending',
          'attempted') order by rowid`,
    )
    .all(taskId)
    .map(({ id, payload_json }) => {
      const payload = parseStored<OpenPayload>(payload_json, {});
      return { id, process: payload.process ?? null, stopWorker: payload.stop_worker === true, stopManager: payload.stop_manager === true };
    });

export interface Begun {
  readonly commandId: string;
  readonly decisionCheck: DecisionCheck;
  readonly decisionId: number | null;
  readonly observationId: number | null;
  /** null when the task is stopped unfinished. */
  readonly audits: Audits | null;
  /** The task was done before: only its sessions are to be stopped. */
  readonly followUp: boolean;
}

/** Takes up the task again inside of a transaction. @throws Failure when it is over and nothing is left to be done */
function takeUp(store: Store, order: FinishOrder, task: Task, program: string): { followUp: boolean } {
  const { state } = needTask(store, task.id);
  if (state !== "done" && state !== "failed") return { followUp: false };
  if (state === "done" && order.kind === "finish" && (order.stopWorker || order.stopManager || order.capture !== null))
    return { followUp: true };
  const more =
    state === "done"
      ? { hint: `to stop its sessions: ${program} finish-task ${quoteWord(task.name)} --stop-worker --stop-manager` }
      : { hint: `${program} tasks --active` };
  throw new Failure(`task ${JSON.stringify(task.name)} is ${state} already`, more);
}

function auditsOf(store: Store, order: FinishOrder, task: Task): Audits {
  const config = findConfig(store, task.id);
  const requireAcks = order.kind === "finish" && (order.requireAcks || order.requireCurrentAcks || config?.require_acks === true);
  return {
    final_audit: auditCriteria(listCriteria(store, task.id), order.requireCriteriaAudit),
    final_ack_audit: auditAcks(store, task.id, requireAcks),
    final_epilogue_audit: auditEpilogue(config?.epilogues ?? [], listEpilogueRuns(store, task.id), order.requireEpilogue),
  };
}

/** The manager's own record of the end: decision and observation. */
function decideToStop(store: Store, order: FinishOrder, task: Task, commandId: string): { decisionId: number; observationId: number } {
  const source = commandType(order);
  const decision = insertDecision(store, task.id, { decision: "stop", reason: order.reason, payload: { source, command_id: commandId } });
  const { lastInsertRowid } = store.db
    .query(
      `insert into agent_observations (task_id, manager_id, role, observation_type, severity, command_id, created_at, message, payload_json)
       values (?, ?, 'manager', 'decision', 'info', ?, ?, ?, ?)`,
    )
    .run(
      task.id,
      decision.manager_id,
      commandId,
      store.now(),
      order.reason,
      compactJson({ decision: "stop", decision_id: decision.id, source }),
    );
  return { decisionId: decision.id, observationId: Number(lastInsertRowid) };
}

/**
 * Looks at all gates and, when they are open, puts the call on record as attempted, in one transaction. What earlier calls left open
 * (`dead`) is closed.
 * @returns the refusal of a gate, after it was recorded
 * @throws Failure when the task is over, or another call is at work on it
 */
export function beginFinish(
  store: Store,
  order: FinishOrder,
  task: Task,
  by: { program: string; process: NonNullable<OpenCall["process"]>; dead: readonly OpenCall[] },
): Begun | Failure {
  return tx(store, () => {
    const { followUp } = takeUp(store, order, task, by.program);
    const type = commandType(order);
    const asked = askedOf(order, task);
    const audits = order.kind === "finish" ? auditsOf(store, order, task) : null;
    const decisionCheck = coveringDecision(store, task.id, order.decisionId, ["stop"]);
    const facts = { criteria: listCriteria(store, task.id), decision: decisionCheck, audits: audits ?? auditsOf(store, order, task) };
    const refused = refusal(order, task, by.program, facts);
    const id = store.newId("command");
    if (refused) {
      const failure = new Failure(refused.message, { hint: refused.hint });
      if (refused.recorded) {
        const payload = {
          ...asked,
          ...refused.recorded.audit,
          failure_stage: refused.recorded.stage,
          expected_failure: true,
          command_id: id,
        };
        createCommand(store, { id, type, taskId: task.id, payload });
        setCommandState(store, id, "attempted");
        setCommandState(store, id, "failed", { error: refused.message, result: payload });
        addEvent(store, {
          type: `${type}_failed`,
          taskId: task.id,
          commandId: id,
          payload: { ...payload, error: refused.message, error_type: failure.name },
        });
      }
      return failure;
    }
    const alive = openFinishes(store, task.id).find((open) => !by.dead.some((each) => each.id === open.id));
    if (alive)
      throw new Failure(
        `another call is ending task ${JSON.stringify(task.name)} right now: command ${alive.id}, process ${alive.process?.pid}`,
        { hint: `${by.program} commands --task ${quoteWord(task.name)} --state attempted` },
      );
    for (const each of by.dead)
      setCommandState(store, each.id, "failed", { error: `interrupted before its end; taken up again by command ${id}` });
    createCommand(store, {
      id,
      type,
      taskId: task.id,
      payload: { ...asked, command_id: id, manager_decision: decisionCheck, already_done_followup: followUp, process: by.process },
    });
    const decided = order.kind === "finish" ? decideToStop(store, order, task, id) : { decisionId: null, observationId: null };
    setCommandState(store, id, "attempted");
    addEvent(store, {
      type: `${type}_intent`,
      taskId: task.id,
      commandId: id,
      payload: {
        ...asked,
        command_id: id,
        manager_decision: decisionCheck,
        final_decision_id: decided.decisionId,
        already_done_followup: followUp,
      },
    });
    if (audits)
      addEvent(store, {
        type: "finish_task_criteria_audit",
        taskId: task.id,
        commandId: id,
        payload: { ...audits.final_audit, command_id: id },
      });
    return { commandId: id, decisionCheck, ...decided, audits, followUp };
  });
}

/** Records that a terminal of the task was ended, right after it was; `before`: by an earlier call that died before it could record it. */
export function markStopped(store: Store, task: Task, commandId: string, party: TaskParty, before: boolean): void {
  tx(store, () => {
    const now = store.now();
    if (party.session) store.db.query("update sessions set state = 'gone', last_heartbeat_at = ? where id = ?").run(now, party.id);
    else if (party.role === "worker")
      store.db.query("update workers set state = 'stopped', updated_at = ? where id = ?").run(now, party.id);
    else store.db.query("update managers set state = 'stopped', stopped_at = ? where id = ?").run(now, party.id);
    addEvent(store, {
      type: "session_stopped",
      taskId: task.id,
      commandId,
      payload: {
        command_id: commandId,
        ended_before: before,
        name: party.name,
        role: party.role,
        session_id: party.id,
        tmux_session: party.tmuxSession,
      },
    });
  });
}

/** Records the captures made before the sessions are stopped. */
export const recordCaptures = (
  store: Store,
  task: Task,
  commandId: string,
  payload: { captures: readonly unknown[]; lines: number; mode: string },
): void => tx(store, () => void addEvent(store, { type: "finish_task_pre_stop_transcript_captured", taskId: task.id, commandId, payload }));

/** Records that a side effect failed: the task stays as it is and the call may be repeated. */
export function failFinish(
  store: Store,
  order: FinishOrder,
  task: Task,
  commandId: string,
  error: Error,
  result: Record<string, unknown>,
): void {
  const payload = { ...result, failure_stage: "live_lifecycle_side_effects", command_id: commandId };
  tx(store, () => {
    setCommandState(store, commandId, "failed", { error: error.message, result: payload });
    addEvent(store, {
      type: `${commandType(order)}_failed`,
      taskId: task.id,
      commandId,
      payload: { ...payload, error: error.message, error_type: error.name },
    });
  });
}

/** Commands of the task that nobody will carry out any more. */
export const waitingCommands = (store: Store, taskId: string): number =>
  store.db
    .query<{ n: number }, [string]>(
      `select count(*) as n from commands where task_id = ? and state in ('pending', 'attempted') and type not in ('finish_task',
          'stop_task')`,
    )
    .get(taskId)!.n;

/**
 * Closes the task in one transaction: binding, run, task, command, with all that tells of it.
 * @throws Failure when somebody else closed it in between
 */
export function closeTask(store: Store, order: FinishOrder, task: Task, begun: Begun, result: Record<string, unknown>): void {
  tx(store, () => {
    const now = needTask(store, task.id).state;
    if (!begun.followUp && (now === "done" || now === "failed"))
      throw new Failure(`task ${JSON.stringify(task.name)} became ${now} while its sessions were being stopped`);
    store.db
      .query("update bindings set state = 'ended', ended_at = ? where task_id = ? and state in ('active', 'ending')")
      .run(store.now(), task.id);
    if (!begun.followUp) setTaskState(store, task.id, "done");
    const run = activeRunId(store, task.id);
    const status = order.kind === "finish" ? "finished" : "abandoned";
    if (run !== null) finishRun(store, run, status);
    setCommandState(store, begun.commandId, "succeeded", { result });
    const type = commandType(order);
    addEvent(store, { type: `${type}_succeeded`, taskId: task.id, commandId: begun.commandId, payload: result });
    addTelemetry(store, {
      type: order.kind === "finish" ? "task_finished" : "task_stopped",
      taskId: task.id,
      runId: run,
      summary: `task ${task.name} ${order.kind === "finish" ? "finished" : "stopped"}`,
      correlation: { command_id: begun.commandId, run_id: run },
      attributes: {
        reason: order.reason,
        killed_worker: result.killed_worker,
        killed_manager: result.killed_manager,
        stop_worker: order.stopWorker,
        stop_manager: order.stopManager,
        run_status: run === null ? null : status,
        already_done_followup: begun.followUp,
      },
    });
  });
}
