/** A disposable binding: a task with a worker and a manager session that live in the Codex app and pull their messages. */
import { Failure } from "../failure.ts";
import { ADVERSARIAL_CHECK } from "./loop-run.ts";
import { quoteCommand } from "../shell.ts";

/** Who made the two sessions, as their rollouts say. */
export const DISPOSABLE_ORIGINATOR = "conveyor-disposable-binding";

/** A session's name as a part of a file name: other characters become dashes. */
export const sessionSlug = (name: string): string => name.replace(/[^A-Za-z0-9_.-]+/g, "-").replace(/^[.-]+|[.-]+$/g, "") || "session";

/**
 * The gates asked for, trimmed, each once, in their order.
 * @throws Failure when one is blank
 */
export function gatesOf(keys: readonly string[], adversarial: boolean): string[] {
  const gates = keys.map((key) => key.trim());
  if (gates.includes(""))
    throw new Failure("--required-before-continue must not be blank", {
      hint: "name an evidence type, for instance --required-before-continue tests_passed",
    });
  return [...new Set(adversarial ? [...gates, ADVERSARIAL_CHECK] : gates)];
}

/** The one line of a disposable session's rollout. */
export const disposableRollout = (session: { id: string; cwd: string; timestamp: string }): string =>
  `${JSON.stringify({ timestamp: session.timestamp, type: "session_meta", payload: { cwd: session.cwd, id: session.id, originator: DISPOSABLE_ORIGINATOR, timestamp: session.timestamp } })}\n`;

/** What the call was given, with names and folders resolved. */
export interface DisposableCall {
  readonly task: string;
  readonly goal?: string | undefined;
  readonly summary?: string | undefined;
  readonly worker: string;
  readonly manager: string;
  readonly sessionDir: string;
  readonly cwd: string;
  readonly template?: string | undefined;
  readonly runName?: string | undefined;
  readonly maxIterations?: number | undefined;
  readonly currentIteration: number;
  readonly seedPromptSha256?: string | undefined;
  readonly requiredBeforeContinue: readonly string[];
  readonly adversarial: boolean;
  readonly cleanupPolicy: string;
  readonly path: string;
}

/** The words of the same call again; `looped`: those about the run too. */
function callWords(call: DisposableCall, looped: boolean): string[] {
  const given = (flag: string, value: string | number | undefined): string[] => (value === undefined ? [] : [flag, String(value)]);
  const run = [
    ...given("--template", call.template),
    ...given("--run-name", call.runName),
    ...given("--max-iterations", call.maxIterations),
    ...given("--current-iteration", call.currentIteration),
    ...given("--seed-prompt-sha256", call.seedPromptSha256),
    ...call.requiredBeforeContinue.flatMap((gate) => given("--required-before-continue", gate)),
    ...(call.adversarial ? ["--adversarial"] : []),
    ...given("--cleanup-policy", call.template === undefined ? call.cleanupPolicy : undefined),
  ];
  return [
    "create-disposable-binding",
    call.task,
    ...given("--goal", call.goal),
    ...given("--summary", call.summary),
    ...given("--worker", call.worker),
    ...given("--manager", call.manager),
    ...given("--session-dir", call.sessionDir),
    ...given("--cwd", call.cwd),
    ...(looped ? run : []),
    "--path",
    call.path,
    "--json",
  ];
}

interface Replay {
  readonly program: string;
  readonly call: DisposableCall;
  /** Id and current iteration of the run, when one was made. */
  readonly run: { readonly id: string; readonly current: number } | null;
  readonly workerPoll: string;
  readonly managerPoll: string;
}

/** Commands, ready to copy, that repeat the binding and walk once through it. */
export function replayCommands({ program, call, run, workerPoll, managerPoll }: Replay): string[] {
  const line = (...words: string[]): string => quoteCommand([program, ...words, "--path", call.path, "--json"]);
  const again = quoteCommand([program, ...callWords(call, run !== null)]);
  const { task } = call;
  if (!run) return [again, workerPoll, managerPoll];
  const next = String(run.current + 1);
  return [
    again,
    line(
      "enqueue-continue-iteration",
      task,
      "--loop-run",
      run.id,
      "--requested-iteration",
      next,
      "--message",
      `Continue with iteration ${next}.`,
    ),
    line("dispatch", "--once", "--type", "continue_iteration"),
    workerPoll,
    line("loop-status", task, "--run", run.id),
  ];
}

/** What to tell the Codex session that is to be the worker. */
export const workerHandoff = (input: { task: string; run: string | null; poll: string }): string =>
  [
    "Use the manage-codex-workers skill.",
    `You are the worker for task ${input.task}${input.run === null ? "" : ` and its loop run ${input.run}`}.`,
    `Poll your inbox with: ${input.poll}`,
    `Keep polling until it stays empty${input.run === null ? "" : " or the maximum number of iterations is reached"}.`,
    "Treat every item you consume as the manager's next instruction.",
    "After each one report the files you changed, the commands you ran, the evidence, and the risk that is left.",
  ].join("\n");
