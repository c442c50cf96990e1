/** An independent reviewer of a turn: what it is shown, where it runs, and what becomes of its answer. */
import { basename, dirname, resolve } from "node:path";
import type { Context } from "../../context.ts";
import { allAgents } from "../../core/agent/agents.ts";
import type { ReviewInput } from "../../core/tasks/continuation.ts";
import { Failure } from "../../core/failure.ts";
import { compactJson, type JsonObject } from "../../core/json.ts";
import { answeredReview, failedReview, reviewContext } from "../../core/tasks/reviewer.ts";
import { quoteWord } from "../../core/shell.ts";
import { openBinding } from "../../store/sessions/bindings.ts";
import type { ProposalPair } from "../../store/tasks/continuations.ts";
import { listCriteria } from "../../store/tasks/criteria.ts";
import { findConfig } from "../../store/tasks/manager-configs.ts";
import { sessionById } from "../../store/sessions/sessions.ts";
import { which } from "../../system/processes/environment.ts";
import { homeOfAgent } from "../../system/agent/agents.ts";
import { filesBeginning } from "../../system/files/folders.ts";
import { recentPullRequests } from "../../system/git/gh.ts";
import { summariseChanges } from "../../system/git/git.ts";
import { noSandbox, runSandboxed, type Sandboxed } from "../../system/processes/sandbox.ts";
import { withScratch } from "../../system/files/scratch.ts";
import { workerFolder } from "./epilogue.ts";
import type { TaskScene } from "../scene.ts";

/** Gathers what the reviewer may know. */
export async function buildReviewContext(scene: TaskScene, pair: ProposalPair): Promise<Record<string, unknown>> {
  const { cx, store, task } = scene;
  const config = findConfig(store, task.id);
  if (!config)
    throw new Failure(`task ${JSON.stringify(task.name)} has no manager configuration`, {
      hint: `conveyor manager-config ${quoteWord(task.name)}`,
    });
  const folder = workerFolder(scene);
  const [diff, pullRequests] = await Promise.all([summariseChanges(cx.env, folder), recentPullRequests(cx.env, folder)]);
  return reviewContext({ task, pair, criteria: listCriteria(store, task.id), config, diff, pullRequests });
}

/**
 * What the reviewer must not see: the database with all files beside it that begin with its name, the state root, everything of the agents,
 * and the rollouts of both sessions. Null without a binding, since then nobody knows which rollouts those are.
 */
function forbidden({ cx, store, task }: TaskScene): string[] | null {
  const binding = openBinding(store, task.id);
  if (!binding?.worker_session_id || !binding.manager_session_id) return null;
  const rollouts = [binding.worker_session_id, binding.manager_session_id].flatMap(
    (id) => sessionById(store, id)?.codex_session_path ?? [],
  );
  return [
    cx.stateRoot,
    ...allAgents.map((agent) => homeOfAgent(agent, cx.env)),
    ...filesBeginning(dirname(store.path), basename(store.path)),
    ...rollouts,
  ];
}

/** The environment of the reviewer: how text is written, where programs are, and its own temporary folder. */
function reviewerEnv(cx: Context, folder: string): Record<string, string> {
  const kept = ["LANG", "LC_ALL", "LC_CTYPE", "PATH"].flatMap((name) =>
    cx.env[name] === undefined ? [] : [[name, cx.env[name]] as const],
  );
  return { ...Object.fromEntries(kept), TMPDIR: folder };
}

/** An answer is short: what stands behind its first characters is not looked at. */
const KEPT = 10_000;

interface ReviewerOrder {
  /** The program and its arguments. */
  readonly command: readonly string[];
  readonly reviewerSessionId: string;
  readonly managerSessionId: string;
  readonly timeoutSeconds: number;
  /** The document on its standard input. */
  readonly context: Record<string, unknown>;
}

/** Why there is no answer, or null when the reviewer ended well. */
function troubleOf({ report, result }: Sandboxed, program: string | null, order: ReviewerOrder): string | null {
  if (program === null) return `the reviewer ${order.command[0]} cannot be started: it is not on PATH or does not exist`;
  if (result === null) return `the reviewer was not started: ${report.setup_error}`;
  if (result.timedOut) return `the reviewer gave no answer within ${order.timeoutSeconds} s and was stopped`;
  if (result.flooded) return "the reviewer printed far too much and was stopped";
  return result.code === 0 ? null : `the reviewer ended with ${result.code ?? "a signal"}`;
}

/**
 * Runs the reviewer in its sandbox and gives its review; whatever goes wrong becomes a review that stops. No lock of the database is held.
 */
export async function runReviewer(scene: TaskScene, order: ReviewerOrder): Promise<ReviewInput> {
  const { cx } = scene;
  const [first = "", ...rest] = order.command;
  const program = which(first.includes("/") ? resolve(cx.cwd, first) : first, cx.env);
  const hidden = forbidden(scene);
  const done = await withScratch("conveyor-reviewer-", async (folder): Promise<Sandboxed> => {
    if (hidden === null) return noSandbox("the task has no active binding, so the rollouts to hide are not known");
    if (program === null) return noSandbox("there is no program to run");
    return runSandboxed(cx.env, { work: folder, hidden }, [program, ...rest], {
      env: reviewerEnv(cx, folder),
      stdin: compactJson(order.context),
      timeoutMs: order.timeoutSeconds * 1000,
      mostBytes: 1 << 20,
    });
  });
  const run = {
    reviewerSessionId: order.reviewerSessionId,
    managerSessionId: order.managerSessionId,
    runner: first,
    argCount: order.command.length,
    sandbox: { ...done.report } as JsonObject,
    returncode: done.result?.code ?? null,
    durationMs: done.result?.durationMs ?? 0,
    printedOut: Boolean(done.result?.stdout),
    printedErr: Boolean(done.result?.stderr),
  };
  const trouble = troubleOf(done, program, order);
  return trouble === null ? answeredReview(run, done.result!.stdout.slice(0, KEPT)) : failedReview(run, trouble);
}
