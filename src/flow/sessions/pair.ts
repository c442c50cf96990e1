/** `pair`: a task, a worker and a manager session, their binding, a run and a Dispatch beside them, in one go. */
import { Failure } from "../../core/failure.ts";
import { managerPrompt } from "../../core/tasks/manager-prompt.ts";
import { quoteCommand } from "../../core/shell.ts";
import { chosenAgent } from "../../core/agent/agents.ts";
import { INTERRUPTED, type RegisteredSession, registeredSession, type Role } from "../../core/sessions/session.ts";
import { activeRunId } from "../../store/record/active-run.ts";
import { type Binding, openBinding, unbind } from "../../store/sessions/bindings.ts";
import { findConfig } from "../../store/tasks/manager-configs.ts";
import { finishRun } from "../../store/record/runs.ts";
import { findSession } from "../../store/sessions/sessions.ts";
import { takeBackCommand } from "../../store/dispatch/commands.ts";
import { tx } from "../../store/store.ts";
import { takeBackTask } from "../../store/tasks/tasks.ts";
import { selfArgv } from "../../system/processes/self.ts";
import { hasSession } from "../../system/terminal/sessions.ts";
import { tmuxNameOf } from "./begin-terminal.ts";
import { join, type PairInput, type PairScene, type Progress, type Seeded, seed, type TaskPairScene, trace } from "./pair-records.ts";
import { type Asked, checkPair, launchFor, workersWords } from "./pair-check.ts";
import { startSession, startWords } from "./start-session.ts";
import { ledTasks } from "../crew/lead.ts";
import { nextCommand } from "../reach/next-command.ts";
import type { Scene } from "../scene.ts";
import { inWorktree, type StartedTree, withWorktree } from "../worktrees/start.ts";
import type { Undertaking } from "./undertaking.ts";

export interface Paired {
  readonly task: { readonly created: boolean; readonly id: string; readonly name: string };
  readonly worker: RegisteredSession;
  readonly worktree?: StartedTree;
  readonly manager: RegisteredSession;
  readonly binding_id: string;
  readonly run_id: string;
  readonly manager_config_seeded: true;
  readonly manager_config_seeded_by_pair: boolean;
  readonly manager_acceptance_criteria_seeded: number;
  /** null: the manager was started for this. */
  readonly crew: { readonly told_by_command: string; readonly tasks: readonly string[] } | null;
}

/**
 * What the same pairing had begun when it was cut off is gone on with.
 * @throws Failure; before anything was started, nothing is stored; afterwards it says what runs and how to go on
 */
export async function pair({ cx, store }: Scene, under: Undertaking, input: PairInput): Promise<Paired> {
  const asked: PairScene = { cx, store, under, input };
  const before = await checkPair(asked);
  under.check();
  const seeded = seed(asked, before);
  const { task } = seeded;
  const progress: Progress = { worker: null, manager: null, bindingId: null, runId: null };
  const scene: TaskPairScene = { ...asked, task, progress };
  try {
    return await startBoth(scene, seeded);
  } catch (error) {
    if (under.interrupted) throw error;
    const { message, name } = error as Error;
    trace(scene, "pair_failed", {
      error: message,
      error_type: name,
      worker_spawned: progress.worker !== null,
      manager_spawned: progress.manager !== null,
      binding_created: progress.bindingId !== null,
      run_created: progress.runId !== null,
    });
    if (!(error instanceof Failure)) throw error;
    throw new Failure(message, {
      hint: [...(error.hint === undefined ? [] : [error.hint]), ...(await remains(scene))].join("; "),
    });
  }
}

async function startBoth(scene: TaskPairScene, seeded: Seeded): Promise<Paired> {
  const { created, byPair, criteria, binding, plan, leader, takeBack } = seeded;
  const { store, task, progress, under } = scene;
  under.takesBack(store, (stays) => {
    trace(scene, "pair_interrupted", {
      worker_spawned: progress.worker !== null,
      manager_spawned: progress.manager !== null,
      still_running: stays,
    });
    if (stays > 0) return;
    if (created) takeBackTask(store, task, INTERRUPTED);
    else takeBack();
  });
  const words = workersWords(scene, task.name);
  const launch = inWorktree(launchFor(scene, "worker", words, binding), plan);
  const { worker, worktree } = await withWorktree(scene, plan, task.id, launch, async (made) => ({
    worker: await startSession(scene, launch, "start-worker"),
    worktree: made,
  }));
  progress.worker = worker;
  trace(scene, "pair_worker_spawned", { session_id: worker.session_id, pid: worker.pid });
  const manager = leader === null ? await startManager(scene, binding) : registeredSession(leader);
  under.check();
  const { bindingId, runId, told } = tx(store, () => join(scene, seeded));
  under.takesBack(store, () => {
    if (told !== null) takeBackCommand(store, told);
    if (activeRunId(store, task.id) === runId) finishRun(store, runId, "abandoned");
    if (openBinding(store, task.id)?.id === bindingId) unbind(store, task);
  });
  return {
    task: { created, id: task.id, name: task.name },
    worker,
    ...(worktree === null ? {} : { worktree }),
    manager,
    binding_id: bindingId,
    run_id: runId,
    manager_config_seeded: true,
    manager_config_seeded_by_pair: byPair,
    manager_acceptance_criteria_seeded: criteria.length,
    crew: leader && told ? { told_by_command: told, tasks: ledTasks(store, leader.id) } : null,
  };
}

async function startManager(scene: TaskPairScene, binding: Binding | null): Promise<RegisteredSession> {
  const { cx, store, input, task, progress } = scene;
  const instructions = managerPrompt({
    program: cx.program,
    executable: quoteCommand(selfArgv()),
    cwd: input.cwd,
    manager: input.managerName,
    task: task.name,
    goal: input.taskGoal ?? task.goal,
    worker: input.workerName,
    config: findConfig(store, task.id),
    ...(input.path === undefined ? {} : { path: cx.storePath(input.path) }),
  });
  const manager = await startSession(scene, launchFor(scene, "manager", instructions, binding), "start-manager");
  progress.manager = manager;
  trace(scene, "pair_manager_spawned", { session_id: manager.session_id, pid: manager.pid });
  return manager;
}

/** The flags with which the manager is started as it would have been here. */
function managersWords({ cx, input }: Asked): string[] {
  const { model, effort, permissionMode } = launchFor({ cx, input }, "manager", null, null);
  const own = { model: model ?? undefined, effort: effort ?? undefined, permissionMode: permissionMode ?? undefined };
  const words = startWords({ ...input, ...own, agent: input.managerAgent ?? input.agent });
  return input.cwd === cx.cwd ? words : ["--cwd", input.cwd, ...words];
}

/** What a failed pairing leaves running, and the commands that go on from there; a terminal that was left has yet to be registered. */
async function remains(scene: TaskPairScene): Promise<string[]> {
  const { cx, store, input, task, progress } = scene;
  const command = (...words: string[]) => nextCommand(cx, store, ...words);
  const { workerName: worker, managerName: manager } = input;
  const terminals = {
    worker: tmuxNameOf(chosenAgent(cx.env, input.workerAgent ?? input.agent), worker),
    manager: tmuxNameOf(chosenAgent(cx.env, input.managerAgent ?? input.agent), manager),
  };
  const left = (role: Role) => hasSession(cx.env, terminals[role]).catch(() => false);
  if (progress.worker === null && !(await left("worker"))) return [];
  const leads = input.crew && findSession(store, manager)?.state === "active";
  const start =
    !leads && progress.manager === null && (progress.worker === null || !(await left("manager")))
      ? [command("start-manager", "--name", manager, "--task", task.name, "--worker", worker, ...managersWords(scene))]
      : [];
  const go = [
    ...start,
    command("bind", "--task", task.name, "--worker", worker, "--manager", manager, ...(input.crew ? ["--crew"] : [])),
  ].join(" and ");
  if (progress.worker === null) return [`once ${worker} is registered, go on with ${go}`];
  return [
    `the worker runs in ${terminals.worker} and is registered as ${worker}: go on with ${go}, or end it with ${command("stop", worker)}`,
  ];
}
