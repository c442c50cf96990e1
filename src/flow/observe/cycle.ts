/**
 * One observation of a bound task: reads the worker's rollout and screen, collects what its manager needs, and records phase by phase how
 * it went.
 */
import type { Context } from "../../context.ts";
import type { InboxItem } from "../../core/dispatch/notification.ts";
import type { Session } from "../../core/sessions/session.ts";
import { failureWords } from "../../core/agent/failed-turn.ts";
import { type Inference, inferState } from "../../core/sessions/worker-state.ts";
import { needPairing } from "../../store/sessions/bindings.ts";
import { lastSubtype, newestTurnEvent } from "../../store/observe/codex-events.ts";
import { keepRead } from "../../store/dispatch/inbox.ts";
import { openAsks } from "../../store/asks.ts";
import { limitsOfTask } from "../../store/attention/report.ts";
import { listCriteria } from "../../store/tasks/criteria.ts";
import { readAheadSinceCycle } from "../../store/observe/ingest-report.ts";
import { addSpans, claimDelivered, endCycle, type Span, startCycle } from "../../store/observe/cycles.ts";
import { type Store, tx } from "../../store/store.ts";
import { needTask } from "../../store/tasks/tasks.ts";
import { addTelemetry } from "../../store/record/telemetry.ts";
import { tokensOfTask } from "../../store/observe/tokens.ts";
import { alive } from "../../system/processes/processes.ts";
import { ingest } from "./ingest.ts";
import { machineProofs } from "../loops/machine-proof.ts";
import { contextAttributes, managerContext, requireAcks } from "./manager-context.ts";
import { nextCommand } from "../reach/next-command.ts";
import { paneSignal } from "./pane-signal.ts";
import { moveOf, whereIs } from "./whereabouts.ts";
import { writerSigns } from "../reach/writer.ts";
import type { PairedScene } from "../scene.ts";
import { thisReader } from "../showing.ts";

export interface CycleOptions {
  /** The task as typed. */
  readonly task: string;
  readonly busyWaitSeconds: number;
  /** Whether the manager's messages count as read by this look. Whose look it is decides, and that is the caller's to say. */
  readonly consume: boolean;
}

/** What a cycle has observed, and is yet to be shown to who asked: until then nothing was read by it. */
export interface Observed {
  readonly result: Record<string, unknown>;
  /** The messages in it, claimed for the one who is shown them. */
  readonly consumed: readonly InboxItem[];
  /** Puts on record that it was shown; inside a transaction. */
  keep(): void;
  /** It could not be shown: puts that on record. */
  fail(error: unknown): void;
}

/** State and turn of a session from what is stored of its rollout. */
export const inferSession = (cx: Context, store: Store, session: Session): Inference =>
  inferState(newestTurnEvent(store, session.id), lastSubtype(store, session.id), writerSigns(session), cx.nowMs());

/**
 * Observes the task. A failure is recorded as a failed cycle, then thrown on.
 * @throws Failure when the task is unknown or unbound (nothing is recorded), or when a phase fails
 */
export async function observe(cx: Context, store: Store, options: CycleOptions): Promise<Observed> {
  const task = needTask(store, options.task);
  const { worker, manager } = needPairing(store, task);
  // Before it begins, since its worker may have gone on to another conversation.
  await Promise.all([whereIs(cx, store, worker, { asksOf: task.id, closely: true }), whereIs(cx, store, manager, { closely: true })]);
  const cycle = new Cycle({ cx, store, task, pairing: needPairing(store, task) }, options);
  try {
    return await cycle.run();
  } catch (error) {
    cycle.fail(error);
    throw error;
  }
}

interface Ended<T> {
  readonly value: T;
  readonly attributes: Record<string, unknown>;
  readonly state?: "degraded";
}

interface Phase {
  readonly name: string;
  readonly startedAt: string;
  readonly begin: number;
  /** What its span tells should it fail. */
  known: Record<string, unknown>;
}

class Cycle {
  private readonly id: number;
  private readonly startedAt: string;
  /** Ended phases that are not in the database yet. */
  private spans: Span[] = [];
  private phase: Phase = { name: "start_cycle", startedAt: "", begin: 0, known: {} };
  private readonly names: Record<string, string>;

  constructor(
    private readonly scene: PairedScene,
    private readonly options: CycleOptions,
  ) {
    const { store, task, pairing } = scene;
    const { binding, worker, manager } = pairing;
    this.names = { binding_id: binding.id, manager_session: manager.name, worker_session: worker.name };
    this.startedAt = store.now();
    const begin = performance.now();
    this.id = tx(store, () => {
      const id = startCycle(store, task.id, this.startedAt);
      const attributes = { ...this.names, busy_wait_seconds: options.busyWaitSeconds };
      addSpans(store, { id, taskId: task.id }, [
        {
          phase: "start_cycle",
          startedAt: this.startedAt,
          completedAt: store.now(),
          durationMs: performance.now() - begin,
          state: "succeeded",
          attributes,
        },
      ]);
      addTelemetry(store, {
        type: "manager_cycle_started",
        actor: "manager",
        taskId: task.id,
        summary: `cycle of ${task.name} started`,
        correlation: this.names,
        attributes: { busy_wait_seconds: options.busyWaitSeconds, cycle_id: id },
      });
      return id;
    });
  }

  private begin(name: string, known: Record<string, unknown> = {}): void {
    this.phase = { name, startedAt: this.scene.store.now(), begin: performance.now(), known };
  }

  private end(state: Span["state"], attributes: Record<string, unknown>, errorType?: string): void {
    const { name, startedAt, begin } = this.phase;
    this.spans.push({
      phase: name,
      startedAt,
      completedAt: this.scene.store.now(),
      durationMs: performance.now() - begin,
      state,
      attributes,
      ...(errorType === undefined ? {} : { errorType }),
    });
  }

  private async during<T>(name: string, work: () => Ended<T> | Promise<Ended<T>>, known: Record<string, unknown> = {}): Promise<T> {
    this.begin(name, known);
    const { value, attributes, state } = await work();
    this.end(state ?? "succeeded", attributes);
    return value;
  }

  async run(): Promise<Observed> {
    const { cx, store, task, pairing } = this.scene;
    const { worker, manager } = pairing;
    const { busyWaitSeconds } = this.options;
    const read = await this.during(
      "ingest_rollout",
      () => {
        const own = ingest(cx, store, worker);
        const ahead = readAheadSinceCycle(store, task.id, worker.id);
        const value = { ...own, new_events: own.new_events + ahead.new_events, skipped_lines: own.skipped_lines + ahead.skipped_lines };
        return { value, attributes: { new_events: value.new_events, new_offset: value.new_offset, worker_session: worker.name } };
      },
      { worker_session: worker.name },
    );
    const seen = await this.during("infer_worker_state", () => {
      const value = inferSession(cx, store, worker);
      return {
        value,
        attributes: {
          last_state_event_present: value.last_state_event_at !== null,
          staleness_seconds: value.staleness_seconds,
          state: value.state,
          turn: value.turn,
          turn_error: value.turn_error,
        },
      };
    });
    const signal = await this.during("capture_pane_signal", async () => {
      const value = await paneSignal(cx, worker, { statusAge: seen.staleness_seconds, busyWaitSeconds, recentEvents: read.new_events });
      const { captured, classifier, degraded, notable_pattern, status_age_seconds } = value;
      const attributes = { captured, classifier, degraded, notable_pattern, status_age_seconds };
      return { value, attributes, ...(degraded ? { state: "degraded" as const } : {}) };
    });
    const lives = { worker_alive: worker.pid !== null && alive(worker.pid), manager_alive: manager.pid !== null && alive(manager.pid) };
    // Who has no process on record cannot be found dead by it.
    const died = [worker, manager].some(({ pid }) => pid !== null && !alive(pid));
    const proofs = await machineProofs(cx, store, listCriteria(store, task.id));
    const reader = await thisReader(cx, store);
    const { status, consumed } = tx(store, () => {
      this.begin("load_manager_context");
      const context = managerContext(this.scene, proofs);
      this.phase.known = contextAttributes(context, 0);
      requireAcks(this.scene, context);
      const inbox = { id: pairing.binding.id, taskId: task.id, managerSessionId: manager.id };
      const consumed = this.options.consume ? claimDelivered(store, this.id, inbox, reader) : [];
      this.end("succeeded", contextAttributes(context, consumed.length));
      this.begin("persist_cycle_row");
      const status = {
        kind: "session_cycle",
        task: this.options.task,
        ...this.names,
        agent: worker.agent,
        model: worker.model,
        launch: worker.launch,
        launch_why: worker.launch_why,
        asks: openAsks(store, worker.id),
        moved: moveOf(cx, worker),
        manager_moved: moveOf(cx, manager),
        ingest: read,
        ...seen,
        pane_signal: signal,
        notable_pane_pattern: signal.notable_pattern,
        ...lives,
        next_commands: died ? [nextCommand(cx, store, "reconcile")] : [],
        consumed_dispatch_notifications: consumed.length,
        tokens: tokensOfTask(store, task.id),
        ...limitsOfTask(store, task.id, pairing),
        manager_context: context,
      };
      return { status, consumed };
    });
    // Printed, not stored: the messages have rows of their own, which name this cycle.
    const completedAt = store.now();
    const result = {
      ...status,
      consumed_messages: consumed,
      cycle_id: this.id,
      cycle_started_at: this.startedAt,
      cycle_completed_at: completedAt,
    };
    const keep = (): void => {
      for (const message of consumed) keepRead(store, message);
      const failed = seen.turn_error === null ? "" : `, its turn failed: ${failureWords(seen.turn_error, seen.last_state_event_at)}`;
      endCycle(store, this.id, { state: "succeeded", completedAt, status });
      this.end("succeeded", { ...lives, state: seen.state, task_completed: seen.task_completed });
      addSpans(store, { id: this.id, taskId: task.id }, this.spans);
      addTelemetry(store, {
        type: "manager_cycle_succeeded",
        actor: "manager",
        taskId: task.id,
        summary: `cycle of ${task.name}: ${seen.state}${failed}`,
        correlation: { ...this.names, cycle_id: this.id },
        attributes: {
          ingest: read,
          last_event_subtype: seen.last_event_subtype,
          notable_pane_pattern: signal.notable_pattern,
          state: seen.state,
          task_completed: seen.task_completed,
          turn: seen.turn,
          turn_error: seen.turn_error,
          ...lives,
        },
      });
    };
    return { result, consumed, keep, fail: (error) => this.fail(error) };
  }

  /** Records that the phase at hand failed; what it had written is rolled back already. */
  fail(cause: unknown): void {
    const { store, task } = this.scene;
    const error = cause instanceof Error ? cause.message : String(cause);
    const errorType = cause instanceof Error ? cause.name : "Error";
    const failure = { error_type: errorType, failure_phase: this.phase.name };
    this.spans = this.spans.filter((span) => span.phase !== this.phase.name);
    tx(store, () => {
      this.end("failed", this.phase.known, errorType);
      this.begin("cycle_failed");
      this.end("failed", { error, failure_phase: failure.failure_phase }, errorType);
      addSpans(store, { id: this.id, taskId: task.id }, this.spans);
      endCycle(store, this.id, {
        state: "failed",
        completedAt: store.now(),
        error,
        status: { kind: "session_cycle", task: this.options.task, ...this.names, ...failure },
      });
      addTelemetry(store, {
        type: "manager_cycle_failed",
        actor: "manager",
        severity: "error",
        taskId: task.id,
        summary: `cycle of ${task.name} failed in ${failure.failure_phase}`,
        correlation: { ...this.names, cycle_id: this.id },
        attributes: failure,
      });
    });
  }
}
