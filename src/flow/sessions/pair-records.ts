/** What a pairing puts on record: task, configuration and criteria before it begins, binding and run at its end, and how far it came. */
import type { AgentKey } from "../../core/agent/agents.ts";
import type { ConfigChange, ManagerConfig } from "../../core/tasks/manager-config.ts";
import type { RegisteredSession, Session } from "../../core/sessions/session.ts";
import type { Task } from "../../core/tasks/task.ts";
import { announce } from "../crew/lead.ts";
import { activeRunId } from "../../store/record/active-run.ts";
import { createRun } from "../../store/record/runs.ts";
import { addTelemetry } from "../../store/record/telemetry.ts";
import { type Binding, bind, openBinding } from "../../store/sessions/bindings.ts";
import { needSession } from "../../store/sessions/sessions.ts";
import { tx } from "../../store/store.ts";
import { seedCriteria, takeBackCriteria } from "../../store/tasks/criteria.ts";
import { configRow, findConfig, saveConfig, takeBackConfig } from "../../store/tasks/manager-configs.ts";
import { createTask } from "../../store/tasks/tasks.ts";
import type { WorktreePlan, WorktreeWish } from "../worktrees/plan.ts";
import type { LaunchScene } from "./begin-terminal.ts";
import type { StartInput } from "./start-session.ts";

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
  /** The manager may lead others already, and runs then. */
  readonly crew: boolean;
  /** null: the worker gets no worktree of its own. */
  readonly wish: WorktreeWish | null;
  /** Database file, when one was named. */
  readonly path: string | undefined;
}

/** The scene of a pairing: what was asked for. */
export interface PairScene extends LaunchScene {
  readonly input: PairInput;
}

/** What of a pairing is on record before it begins. */
export interface Before {
  /** null: it is to be created. */
  readonly task: Task | null;
  /** The binding that the same pairing made before it was cut off. */
  readonly binding: Binding | null;
  /** The manager that runs already and gets this worker, too; null: it is started. */
  readonly leader: Session | null;
  /** The worker's worktree; null: none is asked for. */
  readonly plan: WorktreePlan | null;
}

/** The same once its task is on record. */
export interface TaskPairScene extends PairScene {
  readonly task: Task;
  readonly progress: Progress;
}

/** How far a pairing has come. */
export interface Progress {
  worker: RegisteredSession | null;
  manager: RegisteredSession | null;
  bindingId: string | null;
  runId: string | null;
}

export interface Seeded extends Before {
  readonly task: Task;
  readonly created: boolean;
  readonly byPair: boolean;
  /** The criteria that were put into the ledger for it. */
  readonly criteria: readonly number[];
  /** Puts the settings of a task that was there before back as they were; inside a transaction. */
  takeBack(): void;
}

/** Task, configuration and criteria, in one transaction. */
export function seed(scene: PairScene, asked: Before): Seeded {
  const { cx, store, input } = scene;
  const { task: found } = asked;
  return tx(store, () => {
    const task = found ?? createTask(store, { name: input.task, goal: input.taskGoal!, summary: input.taskSummary ?? null });
    const begun: TaskPairScene = { ...scene, task, progress: { worker: null, manager: null, bindingId: null, runId: null } };
    trace(begun, "pair_started", {
      cwd: input.cwd,
      task_created: found === null,
      task_goal_provided: input.taskGoal !== undefined,
    });
    trace(begun, "pair_task_resolved", { created: found === null });
    const stored = findConfig(store, task.id);
    const before = configRow(store, task.id);
    let saved: ManagerConfig | null = null;
    const byPair = input.config !== null || stored === null;
    let acceptance = stored?.acceptance_criteria ?? [];
    if (byPair) {
      const { config, changed, warnings } = saveConfig(store, task.id, input.config ?? {}, { source: "pair" });
      acceptance = config.acceptance_criteria;
      if (changed) saved = config;
      for (const warning of warnings) cx.err(`warning: ${warning}`);
      trace(begun, "pair_manager_config_seeded", { seeded_by_pair: true });
    }
    const criteria = seedCriteria(store, task.id, acceptance);
    const takeBack = (): void => {
      if (saved !== null) takeBackConfig(store, before, saved);
      takeBackCriteria(store, task.id, criteria);
    };
    return { ...asked, task, created: found === null, byPair, criteria, takeBack };
  });
}

/** What was made at the end of a pairing. */
interface Joined {
  readonly bindingId: string;
  readonly runId: string;
  /** The command that tells a manager which runs already; null: it was started, and knows. */
  readonly told: string | null;
}

/** Binding, run, and what a manager that runs already is told, unless they were made before, inside one transaction. */
export function join(scene: TaskPairScene, { byPair, leader }: Seeded): Joined {
  const { cx, store, input, task, progress } = scene;
  const binding =
    openBinding(store, task.id) ??
    bind(store, task, needSession(store, input.workerName), needSession(store, input.managerName), { crew: input.crew });
  const told =
    leader === null
      ? null
      : announce(scene, leader, binding, {
          worker: input.workerName,
          cwd: needSession(store, input.workerName).cwd,
          goal: input.taskGoal ?? task.goal,
          ...(input.path === undefined ? {} : { path: cx.storePath(input.path) }),
        });
  const bound = { ...scene, progress: { ...progress, bindingId: binding.id } };
  trace(bound, "pair_binding_created", {});
  const known = activeRunId(store, task.id);
  const run =
    known === null
      ? createRun(store, task, {
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
        }).id
      : known;
  trace(bound, "pair_run_created", { run_id: run });
  progress.bindingId = binding.id;
  progress.runId = run;
  return { bindingId: binding.id, runId: run, told };
}

export function trace({ store, input, task, progress }: TaskPairScene, type: string, attributes: Record<string, unknown>): void {
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
