/** Whether a manager should ask its worker for acceptance criteria, and the words to ask with. Advice: nothing is changed. */
import type { Criterion } from "./criteria.ts";
import { quoteCommand } from "../shell.ts";

export interface Negotiation {
  readonly needed: boolean;
  readonly reason: "no_criteria" | "no_current_task_criteria" | "active_criteria_present";
  /** Ready to be sent to the worker. */
  readonly prompt: string | null;
  readonly suggested_actions: readonly string[];
}

const CURRENT: ReadonlySet<string> = new Set(["proposed", "accepted", "satisfied"]);

function promptOf(task: string): string {
  return [
    `Before you go on with task ${JSON.stringify(task)}, please propose two to four acceptance criteria for the slice of work that is ` +
      "at hand.",
    "Split them into must-have now and follow-up, and give for each how it will " +
      "be verified: the command, the test or the observation that shows it.",
    "Answer with the two lists; do not start new work until they are agreed.",
  ].join("\n");
}

/** @param program name of the program in the suggested commands */
export function negotiateCriteria(program: string, task: string, criteria: readonly Criterion[]): Negotiation {
  if (criteria.some(({ status }) => CURRENT.has(status)))
    return { needed: false, reason: "active_criteria_present", prompt: null, suggested_actions: [] };
  const add = (status: string, words: string): string =>
    quoteCommand([program, "criteria", task, "--add", "--criterion", words, "--source", "worker_proposed", "--status", status]);
  return {
    needed: true,
    reason: criteria.length === 0 ? "no_criteria" : "no_current_task_criteria",
    prompt: promptOf(task),
    suggested_actions: [
      "Ask the worker for two to four criteria, split into must-have now and follow-up, each with its verification",
      add("accepted", "a must-have criterion that you agree to"),
      add("proposed", "a must-have criterion that still has to be agreed"),
      add("deferred", "a follow-up criterion"),
    ],
  };
}
