/** What a pairing would start, and everything that can be refused before anything is stored or started. */
import { Failure } from "../../core/failure.ts";
import { quoteCommand } from "../../core/shell.ts";
import type { Task } from "../../core/tasks/task.ts";
import { workerPrompt } from "../../core/tasks/worker-prompt.ts";
import { chosenAgent } from "../../core/agent/agents.ts";
import type { Role } from "../../core/sessions/session.ts";
import { activeRunId } from "../../store/record/active-run.ts";
import { type Binding, findPairing, openBinding } from "../../store/sessions/bindings.ts";
import { findSession } from "../../store/sessions/sessions.ts";
import { findStart } from "../../store/sessions/unfinished-starts.ts";
import { findTask, isTakenBack } from "../../store/tasks/tasks.ts";
import { selfArgv } from "../../system/processes/self.ts";
import type { Launch } from "./begin-terminal.ts";
import { checkLaunch } from "./launch.ts";
import type { Before, PairScene } from "./pair-records.ts";
import { launchOf } from "./start-session.ts";
import type { Store } from "../../store/store.ts";
import { planWorktree, plannedTree, type WorktreePlan } from "../worktrees/plan.ts";
import { inWorktree } from "../worktrees/start.ts";
import { leaderOf } from "../crew/lead.ts";
import { conversationOf } from "../reach/conversation.ts";
import { nextCommand } from "../reach/next-command.ts";
import { deadSessions } from "./reconcile.ts";
import { unasked } from "./revive.ts";

/** A pairing that nobody has begun yet. */
export type Asked = Omit<PairScene, "under">;

/** What a pairing is found to need. */
export type Planned = Pick<Before, "leader" | "plan">;

/** The worker's worktree as it is planned. @param store null: there are no records yet */
export const planOf = async ({ cx, input }: Pick<Asked, "cx" | "input">, store: Store | null): Promise<WorktreePlan | null> =>
  input.wish === null ? null : planWorktree(cx, { store, worker: input.workerName, task: input.task, cwd: input.cwd, wish: input.wish });

/** What each side would be started with; null: it runs already. @throws Failure where its agent takes no such thing */
export function plannedSides(
  asked: Pick<Asked, "cx" | "input">,
  { leader, plan }: Planned,
): Record<"worker_start" | "manager_start", Record<string, unknown> | null> {
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
  return {
    worker_start: { ...of("worker"), worktree: plan === null ? null : plannedTree(plan) },
    manager_start: leader === null ? of("manager") : null,
  };
}

/** The launch of one role: what is given for it alone wins over what is given for both. */
export function launchFor({ cx, input }: Pick<Asked, "cx" | "input">, role: Role, prompt: string | null, binding: Binding | null): Launch {
  const own =
    role === "worker"
      ? { name: input.workerName, agent: input.workerAgent, model: input.workerModel, effort: input.workerEffort }
      : { name: input.managerName, agent: input.managerAgent, model: input.managerModel, effort: input.managerEffort };
  const { agent = input.agent, model = input.model, effort = input.effort } = own;
  const launch = launchOf(cx, role, own.name, input.cwd, { ...input, agent, model, effort }, prompt);
  // Of a mixed pair it is for the one that has such words.
  const others = [input.workerAgent ?? input.agent, input.managerAgent ?? input.agent].map((key) => chosenAgent(cx.env, key));
  const forOther = launch.agent.permissionModes === null && others.some(({ permissionModes }) => permissionModes !== null);
  return { ...launch, permissionMode: forOther ? null : launch.permissionMode, bindings: binding === null ? [] : [binding.id] };
}

/** First words of the worker. */
export function workersWords({ cx, input: { taskPrompt, path } }: Asked, task: string): string | null {
  if (taskPrompt === undefined) return null;
  const place = path === undefined ? {} : { path: cx.storePath(path) };
  return workerPrompt({ program: cx.program, executable: quoteCommand(selfArgv()), task, prompt: taskPrompt, ...place });
}

/** The task that is meant; one that a pairing made and, interrupted, took back, is none. */
function taskOf({ store, input }: Asked): Task | null {
  const task = findTask(store, input.task);
  return task !== null && isTakenBack(store, task) ? null : task;
}

/** Everything that can be refused before anything is stored or started. @returns what it would do @throws Failure that says so */
export async function checkPair(scene: Asked): Promise<Before> {
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
  const leader = leaderOf(scene, input, input.crew);
  if (leader === null) {
    const { prompt: _, ...manager } = launchFor(scene, "manager", null, binding);
    await checkLaunch(scene, manager);
  }
  return { task, binding, leader, plan };
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
  const leads = input.crew && findSession(store, input.managerName)?.id === manager_session_id;
  const isBy = (name: string, session: string | null) => session !== null && findStart(store, name)?.session_id === session;
  return isBy(input.workerName, worker_session_id) && (leads || isBy(input.managerName, manager_session_id));
}
