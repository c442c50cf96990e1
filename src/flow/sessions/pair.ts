/** `pair`: a task, a worker and a manager session, their binding, a run and a Dispatch beside them, in one go. */
import type { AgentKey } from "../../core/agent/agents.ts";
import { Failure } from "../../core/failure.ts";
import type { ConfigChange } from "../../core/tasks/manager-config.ts";
import { managerPrompt } from "../../core/tasks/manager-prompt.ts";
import { quoteCommand, quoteWord } from "../../core/shell.ts";
import type { Task } from "../../core/tasks/task.ts";
import { workerPrompt } from "../../core/tasks/worker-prompt.ts";
import type { RegisteredSession, Role } from "../../core/sessions/session.ts";
import { activeRunId } from "../../store/record/active-run.ts";
import { bind, openBinding } from "../../store/sessions/bindings.ts";
import { seedCriteria } from "../../store/tasks/criteria.ts";
import { findConfig, saveConfig } from "../../store/tasks/manager-configs.ts";
import { createRun } from "../../store/record/runs.ts";
import { needSession } from "../../store/sessions/sessions.ts";
import { tx } from "../../store/store.ts";
import { createTask, findTask } from "../../store/tasks/tasks.ts";
import { addTelemetry } from "../../store/record/telemetry.ts";
import { selfArgv } from "../../system/processes/self.ts";
import { hasSession } from "../../system/terminal/sessions.ts";
import { checkLaunch, type Launch, tmuxNameOf } from "./launch.ts";
import { launchOf, type StartInput, startSession } from "./start-session.ts";
import type { Scene } from "../scene.ts";

/** Which agent a role runs and with what, where that is not what the flags for both say. */
export interface RoleChoice {
  readonly workerAgent?: AgentKey | undefined;
  readonly managerAgent?: AgentKey | undefined;
  readonly workerModel?: string | undefined;
  readonly managerModel?: string | undefined;
  readonly workerEffort?: string | undefined;
  readonly managerEffort?: string | undefined;
}

export interface PairInput extends StartInput, RoleChoice {
  readonly task: string;
  readonly taskGoal: string | undefined;
  readonly taskSummary: string | undefined;
  readonly taskPrompt: string | undefined;
  readonly workerName: string;
  readonly managerName: string;
  readonly cwd: string;
  /** null: no setting was given. */
  readonly config: ConfigChange | null;
  /** Database file, when one was named. */
  readonly path: string | undefined;
}

export interface Paired {
  readonly task: { readonly created: boolean; readonly id: string; readonly name: string };
  readonly worker: RegisteredSession;
  readonly manager: RegisteredSession;
  readonly binding_id: string;
  readonly run_id: string;
  readonly manager_config_seeded: true;
  readonly manager_config_seeded_by_pair: boolean;
  readonly manager_acceptance_criteria_seeded: number;
}

/** The scene of a pairing: what was asked for. */
interface PairScene extends Scene {
  readonly input: PairInput;
}

/** The same once its task is on record. */
interface TaskPairScene extends PairScene {
  readonly task: Task;
  readonly progress: Progress;
}

/** How far a pairing has come. */
interface Progress {
  worker: RegisteredSession | null;
  manager: RegisteredSession | null;
  bindingId: string | null;
  runId: string | null;
}

/** @throws Failure; before anything was started, nothing is stored; afterwards it says what runs and how to go on */
export async function pair({ cx, store }: Scene, input: PairInput): Promise<Paired> {
  const asked: PairScene = { cx, store, input };
  await checkPair(asked);
  const seeded = seed(asked);
  const { task } = seeded;
  const progress: Progress = { worker: null, manager: null, bindingId: null, runId: null };
  const scene: TaskPairScene = { ...asked, task, progress };
  try {
    return await startBoth(scene, seeded);
  } catch (error) {
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

/** The launch of one role: what is given for it alone wins over what is given for both. */
function launchFor({ cx, input }: PairScene, role: Role, prompt: string | null): Launch {
  const own =
    role === "worker"
      ? { name: input.workerName, agent: input.workerAgent, model: input.workerModel, effort: input.workerEffort }
      : { name: input.managerName, agent: input.managerAgent, model: input.managerModel, effort: input.managerEffort };
  const { agent = input.agent, model = input.model, effort = input.effort } = own;
  return launchOf(cx, role, own.name, input.cwd, { ...input, agent, model, effort }, prompt);
}

/** Everything that can be refused before anything is stored or started. */
async function checkPair(scene: PairScene): Promise<void> {
  const { cx, store, input } = scene;
  if (input.workerName === input.managerName)
    throw new Failure(`worker and manager cannot both be called ${JSON.stringify(input.workerName)}`);
  const task = findTask(store, input.task);
  if (task === null && !input.taskGoal) {
    throw new Failure(`unknown task ${JSON.stringify(input.task)}`, { hint: `--task-goal "GOAL" creates it` });
  }
  if (task?.state === "done" || task?.state === "failed")
    throw new Failure(`task ${JSON.stringify(task.name)} is ${task.state} and takes no pair`, { hint: `${cx.program} tasks --active` });
  const binding = task && openBinding(store, task.id);
  if (binding)
    throw new Failure(`task ${JSON.stringify(task.name)} is already bound: ${binding.id}`, {
      hint: `${cx.program} unbind --task ${quoteWord(task.name)}`,
    });
  const run = task && activeRunId(store, task.id);
  if (run)
    throw new Failure(`task ${JSON.stringify(task.name)} already has an active run: ${run}`, {
      hint: `${cx.program} runs --finish ${run}`,
    });
  await checkLaunch(scene, launchFor(scene, "worker", null));
  await checkLaunch(scene, launchFor(scene, "manager", null));
}

interface Seeded {
  readonly task: Task;
  readonly created: boolean;
  readonly byPair: boolean;
  readonly criteria: number;
}

/** Task, configuration and criteria, in one transaction. */
function seed(scene: PairScene): Seeded {
  const { cx, store, input } = scene;
  return tx(store, () => {
    const found = findTask(store, input.task);
    const task = found ?? createTask(store, { name: input.task, goal: input.taskGoal!, summary: input.taskSummary ?? null });
    const begun: TaskPairScene = { ...scene, task, progress: { worker: null, manager: null, bindingId: null, runId: null } };
    trace(begun, "pair_started", {
      cwd: input.cwd,
      task_created: found === null,
      task_goal_provided: input.taskGoal !== undefined,
    });
    trace(begun, "pair_task_resolved", { created: found === null });
    const stored = findConfig(store, task.id);
    const byPair = input.config !== null || stored === null;
    let acceptance = stored?.acceptance_criteria ?? [];
    if (byPair) {
      const { config, warnings } = saveConfig(store, task.id, input.config ?? {}, { source: "pair" });
      acceptance = config.acceptance_criteria;
      for (const warning of warnings) cx.err(`warning: ${warning}`);
      trace(begun, "pair_manager_config_seeded", { seeded_by_pair: true });
    }
    const criteria = seedCriteria(store, task.id, acceptance).length;
    return { task, created: found === null, byPair, criteria };
  });
}

async function startBoth(scene: TaskPairScene, { created, byPair, criteria }: Seeded): Promise<Paired> {
  const { cx, store, input, task, progress } = scene;
  const path = input.path === undefined ? {} : { path: cx.storePath(input.path) };
  const words =
    input.taskPrompt === undefined
      ? null
      : workerPrompt({ program: cx.program, executable: quoteCommand(selfArgv()), task: task.name, prompt: input.taskPrompt, ...path });
  const worker = await startSession(scene, launchFor(scene, "worker", words), "start-worker");
  progress.worker = worker;
  trace(scene, "pair_worker_spawned", { session_id: worker.session_id, pid: worker.pid });
  const instructions = managerPrompt({
    program: cx.program,
    executable: quoteCommand(selfArgv()),
    cwd: input.cwd,
    manager: input.managerName,
    task: task.name,
    goal: input.taskGoal ?? task.goal,
    worker: input.workerName,
    config: findConfig(store, task.id),
    ...path,
  });
  const manager = await startSession(scene, launchFor(scene, "manager", instructions), "start-manager");
  progress.manager = manager;
  trace(scene, "pair_manager_spawned", { session_id: manager.session_id, pid: manager.pid });
  const { bindingId, runId } = tx(store, () => join(scene, byPair));
  return {
    task: { created, id: task.id, name: task.name },
    worker,
    manager,
    binding_id: bindingId,
    run_id: runId,
    manager_config_seeded: true,
    manager_config_seeded_by_pair: byPair,
    manager_acceptance_criteria_seeded: criteria,
  };
}

/** Binding and run, inside one transaction. */
function join(scene: TaskPairScene, byPair: boolean): { bindingId: string; runId: string } {
  const { store, input, task, progress } = scene;
  const binding = bind(store, task, needSession(store, input.workerName), needSession(store, input.managerName));
  const bound = { ...scene, progress: { ...progress, bindingId: binding.id } };
  trace(bound, "pair_binding_created", {});
  const run = createRun(store, task, {
    name: `${task.name}-pair`,
    purpose: input.taskGoal ?? task.goal,
    metadata: {
      binding_id: binding.id,
      worker: input.workerName,
      manager: input.managerName,
      source: "pair",
      manager_config_seeded: true,
      manager_config_seeded_by_pair: byPair,
    },
  });
  trace(bound, "pair_run_created", { run_id: run.id });
  progress.bindingId = binding.id;
  progress.runId = run.id;
  return { bindingId: binding.id, runId: run.id };
}

function trace({ store, input, task, progress }: TaskPairScene, type: string, attributes: Record<string, unknown>): void {
  const failed = type === "pair_failed";
  tx(store, () => {
    addTelemetry(store, {
      type,
      severity: failed ? "error" : "info",
      taskId: task.id,
      summary: `${type.replaceAll("_", " ")}: ${task.name}`,
      correlation: {
        binding_id: progress.bindingId,
        manager: input.managerName,
        worker: input.workerName,
        task: task.name,
        source: "pair",
      },
      attributes,
    });
  });
}

/** What a failed pairing leaves running, and the commands that go on from there; a terminal that was left has yet to be registered. */
async function remains({ cx, input, task, progress }: TaskPairScene): Promise<string[]> {
  const { program } = cx;
  const { workerName: worker, managerName: manager } = input;
  const left = (name: string) => hasSession(cx.env, tmuxNameOf(name)).catch(() => false);
  if (progress.worker === null && !(await left(worker))) return [];
  const start =
    progress.manager === null && (progress.worker === null || !(await left(manager)))
      ? [`${program} start-manager --name ${manager} --task ${quoteWord(task.name)} --worker ${worker}`]
      : [];
  const go = [...start, `${program} bind --task ${quoteWord(task.name)} --worker ${worker} --manager ${manager}`].join(" and ");
  if (progress.worker === null) return [`once ${worker} is registered, go on with ${go}`];
  return [
    `the worker runs in ${tmuxNameOf(worker)} and is registered as ${worker}: go on with ${go}, or end it with ${program} stop ${worker}`,
  ];
}
