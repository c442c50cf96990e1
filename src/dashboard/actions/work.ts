/** Actions that begin and end work: a pair, a Dispatch, finishing, stopping, exporting. */
import { join } from "node:path";
import * as v from "valibot";
import { Failure } from "../../core/failure.ts";
import { plainOrder } from "../../core/tasks/finish.ts";
import { isDispatching } from "../../flow/reach/dispatchers.ts";
import { exportTask } from "../../flow/audit/export-task.ts";
import { finishTask } from "../../flow/tasks/finish.ts";
import { GATES } from "../../flow/tasks/finish-gates.ts";
import { requireFreshProof } from "../../flow/loops/machine-proof.ts";
import { pair } from "../../flow/sessions/pair.ts";
import { launchFlags } from "../../flow/sessions/start-session.ts";
import { undertake } from "../../flow/sessions/undertaking.ts";
import { openBinding, otherTasksOf } from "../../store/sessions/bindings.ts";
import { needTask } from "../../store/tasks/tasks.ts";
import { startBackground } from "../../system/processes/run.ts";
import { selfArgv } from "../../system/processes/self.ts";
import { type Action, type ActionScene, action, filled } from "./action.ts";

const DISPATCHER = "dispatch-dashboard";
const PAIR_SECONDS = 60;

const ends = { reason: v.optional(v.string()), stopWorker: v.optional(v.boolean(), false), stopManager: v.optional(v.boolean(), false) };

export const workActions: Readonly<Record<string, Action>> = {
  pair: action(
    v.strictObject({
      task: filled(200),
      goal: v.optional(filled()),
      workerName: filled(200),
      managerName: filled(200),
      cwd: filled(4000),
      prompt: v.optional(filled()),
      acceptTrust: v.optional(v.boolean(), false),
      crew: v.optional(v.boolean(), false),
      dispatch: v.optional(v.boolean(), true),
    }),
    async (scene, input) => {
      const asked = {
        task: input.task,
        taskGoal: input.goal,
        taskSummary: undefined,
        taskPrompt: input.prompt,
        workerName: input.workerName,
        managerName: input.managerName,
        cwd: scene.cx.path(input.cwd),
        config: null,
        crew: input.crew,
        wish: null,
        path: scene.path,
        launch: undefined,
        agent: undefined,
        model: undefined,
        effort: undefined,
        sandbox: launchFlags.sandbox.default as string,
        askForApproval: launchFlags.askForApproval.default as string,
        acceptTrust: input.acceptTrust,
        timeoutSeconds: PAIR_SECONDS,
      };
      const paired = await undertake(scene.cx, (under) => pair(scene, under, asked));
      const pid = input.dispatch ? await ensureDispatch(scene) : null;
      return {
        said: `${paired.worker.name} and ${paired.manager.name} work on ${paired.task.name}${pid === null ? "" : `, with a Dispatch beside them (process ${pid})`}.`,
        wrote: [
          `tasks ${paired.task.id}`,
          `sessions ${paired.worker.session_id}, ${paired.manager.session_id}`,
          `bindings ${paired.binding_id}`,
          `runs ${paired.run_id}`,
        ],
        result: { id: paired.task.id },
      };
    },
  ),

  dispatch: action(v.strictObject({}), async (scene) => {
    const pid = await ensureDispatch(scene);
    return {
      said:
        pid === null
          ? `A Dispatch of the id ${DISPATCHER} runs already.`
          : `Dispatch runs as process ${pid}, also when this page is closed.`,
    };
  }),

  finish: action(
    v.strictObject({ task: filled(200), gates: v.array(v.picklist(GATES)), capture: v.optional(v.boolean(), false), ...ends }),
    async ({ cx, store }, input) => {
      const task = needTask(store, input.task);
      const scene = { cx, store, task };
      if (input.gates.includes("fresh_proof")) await requireFreshProof(scene);
      const result = await finishTask(scene, {
        ...plainOrder("finish", input.reason?.trim() || "Task finished by operator."),
        stopWorker: input.stopWorker,
        stopManager: input.stopManager,
        capture: input.capture ? { mode: "segment", lines: 200, required: false } : null,
        requireCriteriaAudit: input.gates.includes("criteria"),
        requireAcks: input.gates.includes("acks"),
        requireCurrentAcks: input.gates.includes("current_acks"),
        requireEpilogue: input.gates.includes("epilogue"),
        requireAdversarialProof: input.gates.includes("adversarial_proof"),
      });
      return { said: `${task.name} is finished.`, wrote: written(task.name, result) };
    },
  ),

  stop: action(v.strictObject({ task: filled(200), ...ends }), async ({ cx, store }, input) => {
    const task = needTask(store, input.task);
    const scene = { cx, store, task };
    const manager = openBinding(store, task.id)?.manager_session_id ?? null;
    const result = await finishTask(scene, {
      ...plainOrder("stop", input.reason?.trim() || "Task stopped by operator."),
      stopWorker: input.stopWorker,
      // One that leads others too goes on.
      stopManager: manager === null || otherTasksOf(store, manager, task.id).length === 0,
    });
    return { said: `${task.name} is given up.`, wrote: written(task.name, result) };
  }),

  export: action(v.strictObject({ task: filled(200) }), ({ cx, store }, input) => {
    const task = needTask(store, input.task);
    // The id is ours or another version's; as a part of a path it must not lead elsewhere.
    const dir = join(cx.stateRoot, "artifacts", "tasks", encodeURIComponent(task.id).replaceAll(".", "%2E"), "export");
    const scene = { cx, store, task };
    const { export_dir, archive } = exportTask(scene, {
      dir,
      zip: true,
      transcripts: false,
      fullTranscripts: false,
      secrets: false,
      allTelemetry: false,
    });
    return { said: `${task.name} was exported to ${export_dir}.`, wrote: [...(archive === null ? [] : [archive])] };
  }),
};

function written(task: string, result: Record<string, unknown>): string[] {
  const killed = [result.killed_worker ? "the worker's terminal" : null, result.killed_manager ? "the manager's terminal" : null].filter(
    (each) => each !== null,
  );
  return [`tasks ${task} → done`, `commands ${String(result.command_id)}`, ...(killed.length > 0 ? [`ended ${killed.join(" and ")}`] : [])];
}

/** Starts a Dispatch that outlives the page; null when one runs already. */
async function ensureDispatch({ cx, store, path }: ActionScene): Promise<number | null> {
  if (await isDispatching(cx, store, DISPATCHER)) return null;
  const pid = startBackground(
    [...selfArgv(), "dispatch", "--watch", "--dispatcher-id", DISPATCHER, "--path", cx.storePath(path)],
    { ...cx.env, WORKERCTL_STATE_ROOT: cx.stateRoot },
    "/",
  );
  if (pid === null) throw new Failure("Dispatch could not be started", { hint: `${cx.program} dispatch --watch` });
  return pid;
}
