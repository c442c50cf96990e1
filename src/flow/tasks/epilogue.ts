/** Runs one closing step of a task and tells honestly how it went. */
import { resolve } from "node:path";
import type { Context } from "../../context.ts";
import type { JsonObject } from "../../core/json.ts";
import type { EpilogueStep, ManagerConfig } from "../../core/tasks/manager-config.ts";
import { isGranted } from "../../core/tasks/permissions.ts";
import type { Task } from "../../core/tasks/task.ts";
import { latestBinding } from "../../store/sessions/bindings.ts";
import { latestReview } from "../../store/tasks/continuations.ts";
import { listCriteria } from "../../store/tasks/criteria.ts";
import { countTaskRecords } from "../../store/tasks/epilogues.ts";
import { latestHandoff } from "../../store/tasks/handoffs.ts";
import { sessionById } from "../../store/sessions/sessions.ts";
import type { Store } from "../../store/store.ts";
import { runProgram } from "../../system/processes/run.ts";
import { openDraft } from "../../system/git/gh.ts";
import { isFolder } from "../../system/files/folders.ts";
import type { TaskScene } from "../scene.ts";

interface StepOutcome {
  readonly result: JsonObject | null;
  /** Null: the step succeeded. */
  readonly error: string | null;
}

const TOOL_LIMIT_MS = 30_000;
const PR_LIMIT_MS = 60_000;
const tail = (text: string): string => text.slice(-1000);

/** The folder in which the task's worker works (the last one that was bound), else the present one. */
export function workerFolder({ cx, store, task }: TaskScene): string {
  const worker = latestBinding(store, task.id)?.worker_session_id;
  const cwd = worker ? sessionById(store, worker)?.cwd : undefined;
  return cwd !== undefined && isFolder(cwd) ? cwd : cx.cwd;
}

async function runTools(cx: Context, tools: readonly string[], cwd: string): Promise<StepOutcome> {
  const seen: JsonObject[] = [];
  const failed = (error: string): StepOutcome => ({ result: { tools: seen }, error });
  for (const tool of tools) {
    const program = tool.includes("/") ? resolve(cwd, tool) : tool;
    const done = await runProgram([program, "--version"], {
      env: cx.env,
      cwd,
      timeoutMs: TOOL_LIMIT_MS,
      graceMs: 0,
      mostBytes: 1 << 20,
      endsWithUs: true,
    });
    if (done.missing) return failed(`tool ${tool} is missing: nothing of this name ${tool.includes("/") ? "" : "on PATH "}can be run`);
    seen.push({ tool, returncode: done.code, stdout: tail(done.stdout), stderr: tail(done.stderr) });
    if (done.timedOut) return failed(`tool ${tool} failed: --version gave no answer within ${TOOL_LIMIT_MS / 1000} s`);
    if (done.code !== 0)
      return failed(`tool ${tool} failed: --version ended with ${done.code ?? "a signal (it printed too much, or was killed)"}`);
  }
  return { result: { tools: seen, tool_count: tools.length }, error: null };
}

/** The text of a pull request: what the task was to reach and how its criteria stand. */
function draft(store: Store, task: Task): string {
  const handoff = latestHandoff(store, task.id);
  const criteria = listCriteria(store, task.id).map(
    ({ criterion, status, proof }) => `- [${status === "satisfied" ? "x" : " "}] ${criterion} (${status}${proof ? `: ${proof}` : ""})`,
  );
  return [
    task.goal,
    ...(handoff ? ["", handoff.summary] : []),
    ...(criteria.length > 0 ? ["", "Acceptance criteria:", ...criteria] : []),
  ].join("\n");
}

/** Opens a draft pull request of the worker's branch, where that is permitted and possible; nothing is ever pushed. */
async function openPullRequest(cx: Context, task: Task, body: string, place: { cwd: string; permitted: boolean }): Promise<JsonObject> {
  const not = (reason: string): JsonObject => ({ created: false, url: null, reason });
  if (!place.permitted) return not("repo.open_pr is not permitted");
  const done = await openDraft(cx.env, place.cwd, task.name, body, PR_LIMIT_MS);
  if (done.missing) return not("gh is not on PATH");
  if (done.code !== 0)
    return not(
      tail(
        done.timedOut
          ? `gh gave no answer within ${PR_LIMIT_MS / 1000} s`
          : `gh: ${done.stderr.trim() || `ended with ${done.code ?? "a signal"}`}`,
      ),
    );
  return { created: true, url: tail(done.stdout.trim()), reason: null };
}

async function draftPullRequest({ cx, store, task }: TaskScene, place: { cwd: string; permitted: boolean }): Promise<StepOutcome> {
  const { events, commands } = countTaskRecords(store, task.id);
  const summary = draft(store, task);
  const count = listCriteria(store, task.id).length;
  const pull_request = await openPullRequest(cx, task, summary, place);
  return { result: { acceptance_criteria_count: count, command_count: commands, event_count: events, summary, pull_request }, error: null };
}

function lookAtReview(store: Store, task: Task, permitted: boolean): StepOutcome {
  const review = latestReview(store, task.id);
  if (!review) return { result: null, error: "no continuation review is recorded for this task" };
  const routing = review.subagent_run.operator_routing_required === true;
  const result = {
    agreement: review.agreement,
    verdict: review.verdict,
    continuation_review_id: review.id,
    operator_routing_required: routing,
  };
  if (!permitted) return { result, error: `context.spawn_reviewer is not permitted, so continuation review ${review.id} does not count` };
  if (review.verdict === "stop") return { result, error: `the newest continuation review (${review.id}) says stop: ${review.rationale}` };
  return { result, error: null };
}

function lookAtHandoff(store: Store, task: Task): StepOutcome {
  const handoff = latestHandoff(store, task.id);
  return handoff
    ? { result: { handoff_id: handoff.id, summary: handoff.summary }, error: null }
    : { result: null, error: "no worker handoff is recorded for this task" };
}

/** Runs a step. What cannot be done is told in the outcome, never thrown. */
export async function runStep(scene: TaskScene, config: ManagerConfig, step: EpilogueStep): Promise<StepOutcome> {
  const { cx, store, task } = scene;
  switch (step) {
    case "run-tools":
      return runTools(cx, config.tools, workerFolder(scene));
    case "draft-pr":
      return draftPullRequest(scene, {
        cwd: workerFolder(scene),
        permitted: isGranted(config.permissions, "repo.open_pr"),
      });
    case "subagent-review":
      return lookAtReview(store, task, isGranted(config.permissions, "context.spawn_reviewer"));
    case "record-handoff":
      return lookAtHandoff(store, task);
  }
}
