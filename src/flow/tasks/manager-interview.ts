/** Collects a manager's configuration from a person: on a terminal, or one answer per line of standard input. */
import type { Context } from "../../context.ts";
import { Failure } from "../../core/failure.ts";
import type { ConfigSettings } from "../../core/tasks/manager-config.ts";
import { type Answer, interview, promptLine, readAnswer } from "../../core/tasks/manager-interview.ts";

/** @throws Failure when the answers end too early, are wrong or are cancelled; nothing is stored then */
export async function collectAnswers(cx: Context, stored: ConfigSettings | null, command: string): Promise<Map<string, Answer>> {
  const prompts = interview(stored);
  const refuse = (message: string) =>
    new Failure(message, {
      hint: `give the settings as flags (${command} --help), or one answer per line of standard input, ${prompts.length} lines`,
    });
  const answers = new Map<string, Answer>();
  if (cx.outside.tty.in) {
    if (!cx.outside.tty.err) throw refuse("--interactive needs a terminal to show its questions on, and stderr is none");
    // Loaded only here: nobody else should wait for a library of prompts.
    const { askOnTerminal } = await import("../../system/terminal/prompt.ts");
    const said = await askOnTerminal(prompts);
    if (said === null) throw refuse("cancelled; nothing was stored");
    for (const [i, prompt] of prompts.entries()) {
      const answer = typeof said[i] === "string" ? readAnswer(prompt, said[i]) : said[i];
      if (answer !== undefined) answers.set(prompt.id, answer);
    }
    return answers;
  }
  const lines = cx.stdin().split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  if (lines.length === 0) throw refuse("--interactive found neither a terminal nor answers on standard input; nothing was stored");
  for (const [i, prompt] of prompts.entries()) {
    cx.err(promptLine(prompt));
    const line = lines[i];
    if (line === undefined) throw refuse(`the input ended after ${lines.length} of ${prompts.length} answers; nothing was stored`);
    const answer = readAnswer(prompt, line);
    if (answer !== undefined) answers.set(prompt.id, answer);
  }
  return answers;
}
