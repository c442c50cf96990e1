/** What a session asks, for a person. */
import type { AskChoice } from "../core/agent/protocol.ts";

interface Told {
  readonly id: string;
  readonly session: string;
  readonly question: string;
  readonly command: string | null;
  readonly cwd: string | null;
  readonly asked_reason: string | null;
  readonly choices: readonly AskChoice[];
  readonly takes_text: boolean;
  readonly choice: string | null;
  readonly answered_by: "us" | "person" | "other" | null;
  readonly proof: "seen" | "pending" | "unknown";
  readonly sent: boolean;
}

/** Further lines of what somebody else wrote are set in, and pass for none of ours. */
const within = (text: string): string => text.replaceAll("\n", "\n      | ");

/** What may stand for its choices: the plain words that it has, and a number where there are others. */
function wordsToSay(choices: readonly AskChoice[]): string {
  const plain = choices.map(({ word }) => word).filter((word) => word === "yes" || word === "no");
  if (choices.length === 1) return plain[0] ?? "1";
  return [...plain, ...(plain.length < choices.length ? ["NUMBER"] : [])].join("|");
}

/** The question with all that it is about and how to answer it, or how it was answered. */
export function askText(program: string, told: Told): string {
  const about = [
    `${told.session} asks: ${within(told.question)}`,
    ...(told.command === null ? [] : [`  $ ${within(told.command)}`]),
    ...(told.cwd === null ? [] : [`  in ${within(told.cwd)}`]),
    ...(told.asked_reason === null ? [] : [`  reason: ${within(told.asked_reason)}`]),
  ];
  if (told.answered_by !== null)
    return [...about, told.answered_by === "us" ? `answered: ${told.choice}` : "somebody at its terminal had answered it already"].join(
      "\n",
    );
  if (told.sent) {
    const later = `whether this answer counted, or one given at its terminal, shows when the step has ended: ${program} answer ${told.id}`;
    return [...about, `sent: ${told.choice}`, told.proof === "pending" ? later : "nobody can tell whose answer counted"].join("\n");
  }
  const choices = told.choices.map(({ word, label }, index) => `  ${index + 1}. ${within(word === label ? word : `${word}: ${label}`)}`);
  const answers = [
    ...(told.choices.length === 0 ? [] : [`${program} answer ${told.id} ${wordsToSay(told.choices)}`]),
    ...(told.takes_text ? [`${program} answer ${told.id} --text "…"`] : []),
  ];
  return [...about, ...choices, `answer it with ${answers.join(" or ")}`].join("\n");
}
