/**
 * Ends a task: gates, record, capture, message, terminals, closing; in an order in which a crash leaves nothing untrue, and a second call
 * goes on.
 */
import type { Context } from "../../context.ts";
import { Failure } from "../../core/failure.ts";
import { commandType, type FinishOrder, type OpenCall } from "../../core/tasks/finish.ts";
import type { Role } from "../../core/sessions/session.ts";
import { isOnRecord, type TaskParties, type TaskParty } from "../../core/tasks/task-party.ts";
import {
  type Begun,
  beginFinish,
  closeTask,
  failFinish,
  markStopped,
  openFinishes,
  recordCaptures,
  waitingCommands,
} from "../../store/tasks/finish.ts";
import { hasTranscript } from "../../store/observe/transcripts.ts";
import { alive, isSameStart } from "../../system/processes/processes.ts";
import { thisProcess, undisturbed } from "../../system/processes/this-process.ts";
import { sayLastWord } from "./last-word.ts";
import { endTerminal } from "../reach/end-terminal.ts";
import { ownTerminalLast, refuseBusyElsewhere, type Target, taskParties, verifyTargets } from "./task-party.ts";
import { captureTranscript, shownTranscript } from "../observe/transcript.ts";
import type { TaskScene } from "../scene.ts";

/** Whether the process that made the call has ended. One of an older release says nothing of its process: it was short-lived. */
async function hasDied(cx: Context, { process }: OpenCall): Promise<boolean> {
  if (process === null || !alive(process.pid)) return true;
  return process.started !== null && (await isSameStart(process.pid, process.started, cx.env)) === false;
}

/** What has been done so far, told whether the call succeeds or not. */
interface Progress {
  captures: Record<string, unknown>[];
  message: Record<string, unknown> | null;
  readonly killed: Set<Role>;
  readonly endedBefore: Role[];
}

class Finish {
  private readonly done: Progress = { captures: [], message: null, killed: new Set(), endedBefore: [] };
  private readonly parties: TaskParties;

  constructor(
    private readonly scene: TaskScene,
    private readonly order: FinishOrder,
    private readonly begun: Begun,
    private readonly interrupted: ReadonlySet<Role>,
  ) {
    this.parties = taskParties(scene.store, scene.task.id, begun.followUp);
  }

  /** The parties to be stopped, the worker first. */
  private get wanted(): TaskParty[] {
    const { worker, manager } = this.parties;
    return [this.order.stopWorker ? worker : null, this.order.stopManager ? manager : null].filter((party) => party !== null);
  }

  async run(): Promise<Record<string, unknown>> {
    const { scene, order, begun } = this;
    const { store, task } = scene;
    try {
      const targets = await verifyTargets(scene, this.wanted, { tolerant: begun.followUp, interrupted: this.interrupted });
      this.done.endedBefore.push(...targets.filter((target) => target.endedBefore).map((target) => target.party.role));
      await this.capture(targets);
      await this.say(targets);
      const inOrder = ownTerminalLast(targets);
      return await undisturbed(async () => {
        for (const target of inOrder) await this.end(target);
        const result = this.result();
        closeTask(store, order, task, begun, result);
        return result;
      });
    } catch (error) {
      if (error instanceof Error) failFinish(store, order, task, begun.commandId, error, this.result());
      throw error;
    }
  }

  private async capture(targets: readonly Target[]): Promise<void> {
    const { scene, begun } = this;
    const { store, task } = scene;
    const { capture } = this.order;
    if (capture === null) return;
    const lacking: string[] = [];
    for (const role of this.roles()) {
      const target = targets.find(({ party }) => party.role === role);
      const taken = target?.pane
        ? await captureTranscript(scene, role, { mode: capture.mode, lines: capture.lines, source: "finish_task_pre_stop" })
        : null;
      if (taken) this.done.captures.push(shownTranscript(taken, false));
      // A screen that shows nothing new is met by what was kept of it before, and so is a terminal that was ended before; an empty one by
      // nothing.
      const shown = taken
        ? taken.capture.output.trim() !== ""
        : target !== undefined && target.party.tmuxSession !== null && (target.endedBefore || !isOnRecord(target.party));
      if (!shown || !hasTranscript(store, task.id, role)) lacking.push(role);
    }
    if (this.done.captures.length > 0)
      recordCaptures(store, task, begun.commandId, { captures: this.done.captures, lines: capture.lines, mode: capture.mode });
    if (capture.required && lacking.length > 0) {
      throw new Failure(
        `there is no transcript segment of the ${lacking.join(" and the ")} of task ${JSON.stringify(task.name)}; nothing was stopped`,
        { hint: "leave --require-transcript-segment out to stop without one" },
      );
    }
  }

  private async end({ party, terminal, pane, endedBefore }: Target): Promise<void> {
    const { cx, store, task } = this.scene;
    // Another worker may have been given to the manager while its screen was kept and the message said.
    refuseBusyElsewhere(this.scene, party);
    if (terminal) await endTerminal(cx, terminal);
    if (pane) this.done.killed.add(party.role);
    if (pane || endedBefore) markStopped(store, task, this.begun.commandId, party, endedBefore);
  }

  private roles(): Role[] {
    return [...(this.order.stopWorker ? (["worker"] as const) : []), ...(this.order.stopManager ? (["manager"] as const) : [])];
  }

  private async say(targets: readonly Target[]): Promise<void> {
    const { message } = this.order;
    const target = targets.find(({ party, pane }) => party.role === "worker" && pane !== null);
    if (message === null || target === undefined) return;
    const said = await sayLastWord(this.scene, target, message, {
      origin: commandType(this.order),
      commandId: this.begun.commandId,
    });
    this.done.message = { id: said.id, state: said.state, proof: said.proof, transport: said.transport };
  }

  private result(): Record<string, unknown> {
    const { order, begun, done } = this;
    const { store, task } = this.scene;
    const { worker, manager } = this.parties;
    return {
      task: task.name,
      command_id: begun.commandId,
      finish: order.kind === "finish",
      reason: order.reason,
      stop_worker: order.stopWorker,
      stop_manager: order.stopManager,
      killed_worker: done.killed.has("worker"),
      killed_manager: done.killed.has("manager"),
      ended_before: done.endedBefore,
      message_delivery: done.message,
      worker: worker?.name ?? null,
      worker_session: worker?.session?.name ?? null,
      manager_session: manager?.session?.name ?? null,
      ...Object.fromEntries(
        [worker, manager].flatMap((party) =>
          party && !party.session
            ? [
                [
                  `${party.role}_identity`,
                  { id: party.id, name: party.name, state: party.state, tmux_session: party.tmuxSession, tmux_pane_id: party.paneId },
                ],
              ]
            : [],
        ),
      ),
      manager_decision: begun.decisionCheck,
      final_decision_id: begun.decisionId,
      final_observation_id: begun.observationId,
      already_done_followup: begun.followUp,
      pre_stop_transcript_captures: done.captures,
      remaining_commands: waitingCommands(store, task.id),
      ...begun.audits,
    };
  }
}

/**
 * Finishes or stops a task.
 * @throws Failure when a gate refuses, when a side effect failed (the task is as before then), or when it is over already
 */
export async function finishTask(scene: TaskScene, order: FinishOrder): Promise<Record<string, unknown>> {
  const { cx, store, task } = scene;
  const { manager } = taskParties(store, task.id, true);
  if (order.stopManager && manager !== null) refuseBusyElsewhere(scene, manager);
  const open = openFinishes(store, task.id);
  const died = await Promise.all(open.map((call) => hasDied(cx, call)));
  const dead = open.filter((_, i) => died[i]);
  const begun = beginFinish(store, order, task, { program: cx.program, process: await thisProcess(cx.env), dead });
  if (begun instanceof Failure) throw begun;
  const interrupted = new Set<Role>(
    dead.flatMap(({ stopWorker, stopManager }) => [
      ...(stopWorker ? (["worker"] as const) : []),
      ...(stopManager ? (["manager"] as const) : []),
    ]),
  );
  const result = await new Finish(scene, order, begun, interrupted).run();
  if (order.message !== null && !order.stopWorker)
    cx.err("note: --message was not sent, since it goes to a worker that is stopped (--stop-worker)");
  if (result.remaining_commands !== 0)
    cx.err(`note: ${result.remaining_commands} queued commands of this task will not be carried out any more`);
  return result;
}
