/** Events of the log that a replay tells: what was asked, what stood in the way of a task's messages, who came back. */
import { quote } from "./replay.ts";

/** @param text quoted behind it, if there is any */
export const told = (before: string, text: unknown): string => {
  const words = quote(text);
  return words === "" ? before : `${before}: ${words}`;
};

type Words = (payload: Readonly<Record<string, unknown>>) => string;

/** By the type of the event: the kind of its entry, and its words. */
export const TOLD: Readonly<Record<string, readonly [kind: string, words: Words]>> = {
  agent_asked: ["ask", ({ question, command }) => told(`Asked: ${quote(question)}`, command)],
  agent_ask_ended: [
    "ask",
    ({ question, answered_by: by, answer }) =>
      told(`${by == null ? "No longer asked" : `Answered by ${quote(by)}`}: ${quote(question)}`, by === "us" ? answer : null),
  ],
  message_parked: ["limit", ({ signal_type, session, why }) => told(`${quote(signal_type)} for ${quote(session)} waits`, why)],
  limit_resumed: ["limit", ({ session, state }) => `Told ${quote(session)} to go on, its limit is over: ${quote(state)}`],
  budget_set: [
    "limit",
    ({ tokens, window_percent: part }) =>
      ["Budget set", ...(tokens == null ? [] : [`${tokens} tokens`]), ...(part == null ? [] : [`${part} % of a window`])].join(", "),
  ],
  budget_cleared: ["limit", () => "Budget cleared"],
  task_landed: [
    "landing",
    ({ branch, into, after }) => `Landed ${quote(branch)} on ${quote(into)}, proven on the merge: ${quote(String(after).slice(0, 10))}`,
  ],
  task_landing_refused: ["landing", ({ branch, into, why }) => told(`Not landed: ${quote(branch)} on ${quote(into)}`, why)],
  task_landing_unknown: ["landing", ({ branch, into, why }) => told(`Nobody knows whether ${quote(branch)} landed on ${quote(into)}`, why)],
  session_revived: ["session", ({ session }) => `${quote(session)} was brought back on its conversation`],
};
