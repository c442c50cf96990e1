/** What a file-backed worker is told at its start: that it is supervised, and how it reports. */
import { STATUS_STATES } from "./compat.ts";
import { quoteWord } from "../shell.ts";

interface WorkerContract {
  readonly program: string;
  readonly name: string;
  readonly cwd: string;
  readonly task: string;
  readonly token: string;
  /** Absolute path of its status.json. */
  readonly statusPath: string;
  /** Database file, when it is not the one below the state root. */
  readonly path?: string;
}

export const DEFAULT_TASK = "Wait for instructions.";
export const TEST_TASK = "Read the README of this folder, report your status, and change nothing.";

export function workerContract(contract: WorkerContract): string {
  const { program, name } = contract;
  const path = contract.path === undefined ? "" : ` --path ${quoteWord(contract.path)}`;
  return [
    `You are the worker ${name}, supervised by Agent Conveyor, in ${contract.cwd}.`,
    "",
    `Your task: ${contract.task}`,
    `Your identity token: ${contract.token}. Keep it to yourself and keep it through every summary or compaction; it shows that you ` +
      "are still the same worker.",
    "",
    "Report at the start and end of every phase, when you are blocked, before and after every long check, and when you are done:",
    `  ${program} update-status ${name} --state STATE --current-task TEXT --next-action TEXT [--blocker TEXT]${path}`,
    `STATE is one of ${STATUS_STATES.join(", ")}. Give --blocker whenever you wait for somebody, and say for what.`,
    `The report is kept in ${contract.statusPath} as {"state", "current_task", "next_action", "blocker", "last_update"}; should the ` +
      "command fail, write that file.",
    "",
    `When you do not run in tmux, poll for instructions: ${program} worker-inbox TASK --consume-next --wait --timeout 60${path} --json`,
    "Run no destructive git command (no reset --hard, clean, force push or rewriting of history) unless you are told to.",
  ].join("\n");
}
