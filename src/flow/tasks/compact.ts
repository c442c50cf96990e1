/** Asking a bound worker to compact or clear its context: gates first, then one delivery, all of it on record as a command. */
import { DEFAULT_AGENT } from "../../core/sessions/session.ts";
import { flag, jsonFlag, pathFlag, text } from "../../args/spec.ts";
import type { Agent } from "../../core/agent/agent.ts";
import { agentOf, agents } from "../../core/agent/agents.ts";
import { DECISION_MAX_AGE } from "../../core/tasks/decision.ts";
import { Failure } from "../../core/failure.ts";
import { checkPermission } from "../../core/tasks/permissions.ts";
import { quoteCommand, quoteWord } from "../../core/shell.ts";
import type { Task } from "../../core/tasks/task.ts";
import { needPairing, openBinding } from "../../store/sessions/bindings.ts";
import { sessionById } from "../../store/sessions/sessions.ts";
import { createCommand, setCommandState } from "../../store/dispatch/commands.ts";
import { coveringDecision } from "../../store/tasks/decisions.ts";
import { addEvent } from "../../store/record/events.ts";
import { latestHandoff } from "../../store/tasks/handoffs.ts";
import { findConfig } from "../../store/tasks/manager-configs.ts";
import { type Store, tx } from "../../store/store.ts";
import { addTelemetry } from "../../store/record/telemetry.ts";
import { machineOf } from "../../system/agent/agents.ts";
import { deliver } from "../delivery/deliver.ts";
import { newestTurn } from "../reach/open-turn.ts";
import { type Reach, reach, recipientOf } from "../reach/recipient.ts";
import { refuseUndelivered, refuseUnreachable, sentFacts, unsentFacts } from "../delivery/speak.ts";
import type { PairedScene, TaskScene } from "../scene.ts";

const ACTION = "worker_compact_clear";

/** The flags of the two commands that ask for it. */
export const compactFlags = {
  clear: flag("send /clear instead of /compact"),
  promptOnly: flag("send the message and no slash command"),
  message: text("what to say instead of the usual prompt"),
  dryRun: flag("check the gates and record it, send nothing"),
  json: jsonFlag,
  path: pathFlag,
};

interface CompactChoice {
  readonly clear: boolean;
  /** Beats `clear`. */
  readonly promptOnly: boolean;
}

interface CompactOptions extends CompactChoice {
  readonly decisionId?: number | undefined;
  readonly strictDecisions: boolean;
  readonly message?: string | undefined;
  readonly dryRun: boolean;
}

interface Request {
  readonly commandId: string;
  readonly payload: ReturnType<typeof payloadOf>;
  /** Why it may not be sent; null: it may. */
  readonly denied: Failure | null;
}

/**
 * Makes the request and gives what is printed. The permission check and the command are on record whatever comes of it.
 * @throws Failure when the task is unbound (nothing is recorded), a gate is closed, or the worker did not get it
 */
export async function requestCompact(about: TaskScene, options: CompactOptions): Promise<Record<string, unknown>> {
  const { store, task } = about;
  const scene = { ...about, pairing: needPairing(store, task) };
  const request = tx(store, () => record(scene, options));
  if (request.denied) throw request.denied;
  try {
    const result = {
      ...request.payload,
      command_id: request.commandId,
      send_result: await send(scene, request, options.dryRun),
    };
    finish(scene, request, { state: "succeeded", result });
    return result;
  } catch (error) {
    finish(scene, request, {
      state: "failed",
      error: (error as Error).message,
      result: { ...request.payload, command_id: request.commandId },
    });
    throw error;
  }
}

/** What is sent instead of words; null: words. */
const slashCommand = ({ keys }: Agent, { clear, promptOnly }: CompactChoice): string | null =>
  promptOnly ? null : clear ? keys.slash.clear : keys.slash.compact;

/** The words a worker gets instead of a slash command, unless others are given. */
function compactPrompt(program: string, task: string, handoff: { readonly id: number; readonly summary: string } | null): string {
  const saved = handoff === null ? "no handoff is saved yet" : `handoff ${handoff.id} is saved: ${handoff.summary}`;
  return [
    `Task ${JSON.stringify(task)}: ${saved}`,
    "Please check that the handoff holds everything you need to go on. If it does, compact your context, if your client supports that.",
    `If it does not, save a better one first with: ${quoteCommand([program, "handoff", task, "--summary"])} TEXT`,
    "Then report what you did. Do not edit any file.",
  ].join("\n");
}

/** What is sent to the worker of a task, by what its agent calls it; null: words only. */
export function slashCommandFor(store: Store, task: Task, choice: CompactChoice): string | null {
  const id = openBinding(store, task.id)?.worker_session_id;
  const worker = id ? sessionById(store, id) : null;
  return slashCommand(worker === null ? agents[DEFAULT_AGENT] : agentOf(worker), choice);
}

function payloadOf({ cx, store, task, pairing }: PairedScene, options: CompactOptions) {
  const handoff = latestHandoff(store, task.id);
  const permission = checkPermission(findConfig(store, task.id)?.permissions ?? null, ACTION, {
    required: true,
    present: handoff !== null,
  });
  const slash_command = slashCommand(agentOf(pairing.worker), options);
  const message = options.message ?? compactPrompt(cx.program, task.name, handoff);
  return {
    manager_decision: {
      age_seconds: null,
      max_age_seconds: DECISION_MAX_AGE,
      ...coveringDecision(store, task.id, options.decisionId, ["nudge"]),
    },
    message,
    permission_check: { action: ACTION, allowed: permission.allowed, handoff_id: handoff?.id ?? null, reasons: permission.reasons },
    send_text: slash_command ?? message,
    slash_command,
    task: task.name,
    worker_session: pairing.worker.name,
  };
}

function record(scene: PairedScene, options: CompactOptions): Request {
  const { store, task } = scene;
  const payload = payloadOf(scene, options);
  const { permission_check: check, manager_decision: decision, ...rest } = payload;
  addEvent(store, { type: "manager_permission_checked", taskId: task.id, payload: { ...check, source: "request_worker_compact" } });
  addTelemetry(store, {
    type: "manager_permission_checked",
    actor: "manager",
    severity: check.allowed ? "info" : "warning",
    taskId: task.id,
    summary: `${ACTION} ${check.allowed ? "allowed" : `denied: ${check.reasons.join(", ")}`}`,
    correlation: { action: ACTION, handoff_id: check.handoff_id, source: "request_worker_compact" },
    attributes: { allowed: check.allowed, reasons: check.reasons },
  });
  const commandId = createCommand(store, { type: "request_worker_compact", taskId: task.id, payload });
  const denied = refusal(scene, payload, options.strictDecisions);
  if (denied) {
    setCommandState(store, commandId, "attempted");
    const result = {
      command_id: commandId,
      expected_failure: true,
      failure_stage: "preflight",
      manager_decision: decision,
      permission_check: check,
      task: rest.task,
      worker_session: rest.worker_session,
    };
    setCommandState(store, commandId, "failed", { result, error: denied.message });
    addEvent(store, { type: "worker_compact_request_failed", taskId: task.id, commandId, payload: { ...result, error: denied.message } });
  } else {
    addEvent(store, {
      type: "worker_compact_requested",
      taskId: task.id,
      commandId,
      payload: { ...payload, command_id: commandId, dry_run: options.dryRun },
    });
    setCommandState(store, commandId, "attempted");
  }
  return { commandId, payload, denied };
}

function refusal({ cx, task }: TaskScene, { manager_decision, permission_check }: Request["payload"], strict: boolean): Failure | null {
  const name = quoteWord(task.name);
  if (strict && !manager_decision.ok) {
    const hint = `give the id with --decision-id that this prints: ${cx.program} record-decision ${name} nudge --reason TEXT`;
    return new Failure(
      `no decision of the manager covers this on task ${JSON.stringify(task.name)}: ${manager_decision.warnings.join(", ")}`,
      { hint },
    );
  }
  if (permission_check.allowed) return null;
  const remedies: Readonly<Record<string, string>> = {
    missing_manager_config: `if the operator agrees: ${cx.program} manager-config ${name} --allow-worker-compact-clear`,
    permission_not_enabled: `if the operator agrees: ${cx.program} manager-config ${name} --allow-worker-compact-clear`,
    missing_worker_handoff: `${cx.program} handoff ${name} --summary TEXT`,
  };
  const { reasons } = permission_check;
  return new Failure(`${ACTION} is not allowed for task ${JSON.stringify(task.name)}: ${reasons.join(", ")}`, {
    hint: reasons.map((reason) => remedies[reason]).join("; "),
  });
}

async function send(scene: PairedScene, { commandId, payload }: Request, dryRun: boolean): Promise<Record<string, unknown>> {
  const { cx, store, task } = scene;
  const { worker } = scene.pairing;
  refuseUnreachable(cx, worker);
  const { send_text: text, slash_command } = payload;
  const base = { session: worker.name, text, target: worker.tmux_session, dry_run: dryRun };
  if (dryRun) return { ...base, ...unsentFacts(store) };
  const recipient = recipientOf(worker);
  // An agent drops a slash command that comes in the middle of a turn; what is no agent has no turns, whatever its rollout says.
  if (slash_command && newestTurn(agentOf(worker), worker.codex_session_path) === "open" && isAgent(await reach(cx, recipient))) {
    throw new Failure(`worker ${JSON.stringify(worker.name)} is in the middle of a turn and would drop ${slash_command}`, {
      hint: `try again when ${cx.program} cycle ${quoteWord(task.name)} says idle, or use --prompt-only`,
    });
  }
  const sent = await deliver(cx, store, {
    recipient,
    text,
    origin: "request-worker-compact",
    asCommand: slash_command !== null,
    taskId: task.id,
    commandId,
  });
  refuseUndelivered(sent);
  // One with a server of its own, or whose agent lists what it runs, is followed to the new one.
  const agent = agentOf(worker);
  if (slash_command === agent.keys.slash.clear && worker.socket === null && machineOf(agent).list === null)
    cx.err(`note: ${slash_command} begins a new thread; register worker ${JSON.stringify(worker.name)} again when it has said something`);
  return { ...base, ...sentFacts(store, sent) };
}

const isAgent = ({ agent, live }: Reach): boolean => agent !== null || live;

function finish(
  { store, task }: TaskScene,
  { commandId }: Request,
  end: { state: "succeeded" | "failed"; error?: string; result: Record<string, unknown> },
): void {
  tx(store, () => {
    const { state, ...outcome } = end;
    setCommandState(store, commandId, state, outcome);
    addEvent(store, {
      type: `worker_compact_request_${state}`,
      taskId: task.id,
      commandId,
      payload: { ...end.result, ...(end.error === undefined ? {} : { error: end.error }) },
    });
  });
}
