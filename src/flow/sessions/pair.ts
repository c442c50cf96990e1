/** `pair`: a task, a worker and a manager session, their binding, a run and a Dispatch beside them, in one go. */
import { Failure } from "../../core/failure.ts";
import { managerPrompt } from "../../core/tasks/manager-prompt.ts";
import { quoteCommand } from "../../core/shell.ts";
import type { Task } from "../../core/tasks/task.ts";
import { workerPrompt } from "../../core/tasks/worker-prompt.ts";
import { chosenAgent } from "../../core/agent/agents.ts";
import { INTERRUPTED, type RegisteredSession, type Role } from "../../core/sessions/session.ts";
import { activeRunId } from "../../store/record/active-run.ts";
import { type Binding, findPairing, openBinding, unbind } from "../../store/sessions/bindings.ts";
import { findConfig } from "../../store/tasks/manager-configs.ts";
import { finishRun } from "../../store/record/runs.ts";
import { findStart } from "../../store/sessions/unfinished-starts.ts";
import { type Store, tx } from "../../store/store.ts";
import { findTask, isTakenBack, takeBackTask } from "../../store/tasks/tasks.ts";
import { selfArgv } from "../../system/processes/self.ts";
import { hasSession } from "../../system/terminal/sessions.ts";
import { type Launch, tmuxNameOf } from "./begin-terminal.ts";
import { checkLaunch } from "./launch.ts";
import {
  type Before,
  join,
  type PairInput,
  type PairScene,
  type Progress,
  type Seeded,
  seed,
  type TaskPairScene,
  trace,
} from "./pair-records.ts";
import { launchOf, startSession, startWords } from "./start-session.ts";
import { conversationOf } from "../reach/conversation.ts";
import { nextCommand } from "../reach/next-command.ts";
import { deadSessions } from "./reconcile.ts";
import { unasked } from "./revive.ts";
import type { Scene } from "../scene.ts";
import { planWorktree, plannedTree, type WorktreePlan } from "../worktrees/plan.ts";
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
}

/** A pairing that nobody has begun yet. */
type Asked = Omit<PairScene, "under">;

/** What {@link pair} would refuse before it stores or starts anything. @returns the worktree it would make @throws Failure that says so */
export const refusePair = async (asked: Asked): Promise<WorktreePlan | null> => (await checkPair(asked)).plan;

/** The worker's worktree as it is planned. @param store null: there are no records yet */
export const planOf = async ({ cx, input }: Pick<Asked, "cx" | "input">, store: Store | null): Promise<WorktreePlan | null> =>
  input.wish === null ? null : planWorktree(cx, { store, worker: input.workerName, task: input.task, cwd: input.cwd, wish: input.wish });

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

/** What each side would be started with. @throws Failure where its agent takes no such thing */
export function plannedSides(
  asked: Pick<Asked, "cx" | "input">,
  plan: WorktreePlan | null,
): Record<"worker_start" | "manager_start", Record<string, unknown>> {
  const of = (role: Role) => {
    const { agent, cwd, model, effort, sandbox, approval, permissionMode } = inWorktree(
      launchFor(asked, role, null, null),
      role === "worker" ? plan : null,
    );
    return {
      agent: agent.key,
      cwd,
      model,
      effort,
      sandbox,
      ask_for_approval: approval,
      permission_mode: permissionMode,
    };
  };
  return { worker_start: { ...of("worker"), worktree: plan === null ? null : plannedTree(plan) }, manager_start: of("manager") };
}

/** The launch of one role: what is given for it alone wins over what is given for both. */
function launchFor({ cx, input }: Pick<Asked, "cx" | "input">, role: Role, prompt: string | null, binding: Binding | null): Launch {
  const own =
    role === "worker"
      ? { name: input.workerName, agent: input.workerAgent, model: input.workerModel, effort: input.workerEffort }
      : { name: input.managerName, agent: input.managerAgent, model: input.managerModel, effort: input.managerEffort };
  const { agent = input.agent, model = input.model, effort = input.effort } = own;
  const launch = launchOf(cx, role, own.name, input.cwd, { ...input, agent, model, effort }, prompt);
  // Of a mixed pair it is for the one that has such words.
  const others = [input.workerAgent ?? input.agent, input.managerAgent ?? input.agent].map((key) => chosenAgent(cx.env, key));
  const forOther = launch.agent.permissionModes === null && others.some(({ permissionModes }) => permissionModes !== null);
  return { ...launch, permissionMode: forOther ? null : launch.permissionMode, binding: binding?.id ?? null };
}

/** First words of the worker. */
function workersWords({ cx, input: { taskPrompt, path } }: Asked, task: string): string | null {
  if (taskPrompt === undefined) return null;
  const place = path === undefined ? {} : { path: cx.storePath(path) };
  return workerPrompt({ program: cx.program, executable: quoteCommand(selfArgv()), task, prompt: taskPrompt, ...place });
}

/** The task that is meant; one that a pairing made and, interrupted, took back, is none. */
function taskOf({ store, input }: Asked): Task | null {
  const task = findTask(store, input.task);
  return task !== null && isTakenBack(store, task) ? null : task;
}

/** Everything that can be refused before anything is stored or started. */
async function checkPair(scene: Asked): Promise<Before> {
  const { cx, store, input } = scene;
  if (input.workerName === input.managerName)
    throw new Failure(`worker and manager cannot both be called ${JSON.stringify(input.workerName)}`);
  const task = taskOf(scene);
  if (task === null && !input.taskGoal) {
    throw new Failure(`unknown task ${JSON.stringify(input.task)}`, { hint: `--task-goal "GOAL" creates it` });
  }
  if (task?.state === "done" || task?.state === "failed")
    throw new Failure(`task ${JSON.stringify(task.name)} is ${task.state} and takes no pair`, { hint: `${cx.program} tasks --active` });
  const binding = task && openBinding(store, task.id);
  if (binding && !isOwn(scene, binding)) throw await alreadyBound(scene, task);
  const run = task && activeRunId(store, task.id);
  if (run && !binding)
    throw new Failure(`task ${JSON.stringify(task.name)} already has an active run: ${run}`, {
      hint: `${cx.program} runs --finish ${run}`,
    });
  const plan = await planOf({ cx, input: { ...input, task: task?.name ?? input.task } }, store);
  await checkLaunch(scene, inWorktree(launchFor(scene, "worker", workersWords(scene, task?.name ?? input.task), binding), plan));
  const { prompt: _, ...manager } = launchFor(scene, "manager", null, binding);
  await checkLaunch(scene, manager);
  return { task, binding, plan };
}

/** The refusal of a task that others work on, or these two already: what runs, and how to go on with it. */
async function alreadyBound({ cx, store, input }: Asked, task: Task): Promise<Failure> {
  const command = (...words: string[]) => nextCommand(cx, store, ...words);
  const binding = openBinding(store, task.id);
  const pairing = findPairing(store, task.id);
  const said = `task ${JSON.stringify(task.name)} is already bound: ${binding?.id}`;
  const giveUp = `give it to others: ${command("unbind", "--task", task.name)}`;
  if (pairing === null) return new Failure(said, { hint: giveUp });
  const { worker, manager } = pairing;
  const dead = await deadSessions(cx, store);
  const ended = [worker, manager]
    .filter(({ name, state }) => state === "gone" || dead.some((each) => each.name === name))
    .map(({ name }) => name);
  const who = `, ${worker.name} works on it for ${manager.name}`;
  if (ended.length > 0) {
    const back = unasked({ cx, store }, dead, { taskId: task.id }).filter(({ session }) => conversationOf(session) !== null);
    return new Failure(`${said}${who}, and ${ended.join(" and ")} ${ended.length === 1 ? "does" : "do"} not run`, {
      hint:
        back.length === ended.length
          ? `bring back what has ended: ${command("revive", task.name)}`
          : `${command("reconcile", "--apply")} tells how to start again what has ended`,
    });
  }
  const own = worker.name === input.workerName && manager.name === input.managerName;
  return new Failure(`${said}${who}${own ? ", and both run" : ""}`, {
    hint: `see how it goes: ${command("cycle", task.name, "--no-consume")}; look at it: ${command("open-worker", task.name)}; ${giveUp}`,
  });
}

/** Whether a pairing of the same two made this binding and did not come to its end. */
function isOwn({ store, input }: Asked, { worker_session_id, manager_session_id }: Binding): boolean {
  const isBy = (name: string, session: string | null) => session !== null && findStart(store, name)?.session_id === session;
  return isBy(input.workerName, worker_session_id) && isBy(input.managerName, manager_session_id);
}

async function startBoth(scene: TaskPairScene, { created, byPair, criteria, binding, plan, takeBack }: Seeded): Promise<Paired> {
  const { cx, store, input, task, progress, under } = scene;
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
  const { worker, worktree } =
    plan === null
      ? { worker: await startSession(scene, launch, "start-worker"), worktree: null }
      : await withWorktree(
          scene,
          plan,
          task.id,
          { ...launch, worker: launch.name, confined: launch.agent.confined(launch) },
          async (made) => ({
            worker: await startSession(scene, launch, "start-worker"),
            worktree: made,
          }),
        );
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
    ...(input.path === undefined ? {} : { path: cx.storePath(input.path) }),
  });
  const manager = await startSession(scene, launchFor(scene, "manager", instructions, binding), "start-manager");
  progress.manager = manager;
  trace(scene, "pair_manager_spawned", { session_id: manager.session_id, pid: manager.pid });
  under.check();
  const { bindingId, runId } = tx(store, () => join(scene, byPair));
  under.takesBack(store, () => {
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
  };
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
  const start =
    progress.manager === null && (progress.worker === null || !(await left("manager")))
      ? [command("start-manager", "--name", manager, "--task", task.name, "--worker", worker, ...managersWords(scene))]
      : [];
  const go = [...start, command("bind", "--task", task.name, "--worker", worker, "--manager", manager)].join(" and ");
  if (progress.worker === null) return [`once ${worker} is registered, go on with ${go}`];
  return [
    `the worker runs in ${terminals.worker} and is registered as ${worker}: go on with ${go}, or end it with ${command("stop", worker)}`,
  ];
}
