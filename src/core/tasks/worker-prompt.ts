/** The first words to a worker session of a pair. */
import { ifNotFound } from "./manager-prompt.ts";
import { quoteWord } from "../shell.ts";

/** The task in the words given, and how to acknowledge it before anything is edited. */
export function workerPrompt(brief: { program: string; executable: string; task: string; prompt: string; path?: string }): string {
  const path = brief.path === undefined ? "" : ` --path ${quoteWord(brief.path)}`;
  return [
    brief.prompt,
    "",
    `Before you edit anything, acknowledge the task: run \`${brief.program} worker-ack ${quoteWord(brief.task)} --from-stdin${path}\` ` +
      "with a JSON object on standard input that has the keys goal_restatement, proposed_criteria, expected_tools, open_questions and " +
      `ready_to_start. ${ifNotFound(brief.program, brief.executable)}`,
  ].join("\n");
}
