/** Which of the choices that were offered somebody means. */
import type { AskAnswer, AskChoice } from "../agent/protocol.ts";
import { UsageError } from "../failure.ts";

/** What was asked, as far as an answer has to fit it. */
interface Asked {
  readonly id: string;
  readonly choices: readonly AskChoice[];
  readonly takes_text: boolean;
}

/** An answer as somebody typed it: `yes`, `no`, a number or a choice's own word; or words of their own. */
interface Typed {
  readonly choice: string | undefined;
  readonly text: string | undefined;
}

/** What an answer means, and the word for it. @throws UsageError when the choice is none of what is offered, or may be two of it */
export function understood(program: string, ask: Asked, { choice, text }: Typed): { word: string; answer: AskAnswer } {
  if (text !== undefined) {
    if (!ask.takes_text) throw new UsageError(`${ask.id} takes no text: ${offered(ask)}`);
    return { word: text, answer: { text } };
  }
  const [index, other] = meant(ask, choice!);
  if (other !== undefined)
    throw new UsageError(
      `${JSON.stringify(choice)} may be ${index! + 1} or ${other + 1} of ${ask.id}: ${offered(ask)}; a number with a dot is only its place`,
    );
  const chosen = index === undefined ? undefined : ask.choices[index];
  if (index === undefined || chosen === undefined)
    throw new UsageError(`${JSON.stringify(choice)} is no choice of ${ask.id}: ${offered(ask)}; ${program} answer ${ask.id} shows it`);
  return { word: chosen.word, answer: { choice: index } };
}

/** The choices that this may mean: by its place, or by its word, which may be a number, too; `2.` is a place alone. */
function meant({ choices }: Asked, choice: string): number[] {
  const [, digits, dot] = /^(\d+)(\.?)$/.exec(choice) ?? [];
  const place = choices.findIndex((_, index) => digits !== undefined && index + 1 === Number(digits));
  if (dot === "." && place >= 0) return [place];
  const named = (same: (word: string) => boolean): number[] => choices.flatMap(({ word }, index) => (same(word) ? [index] : []));
  const exactly = named((word) => word === choice);
  // `y` and `n` are the keys on the agent's own page.
  const whole = { y: "yes", n: "no" }[choice.toLowerCase()];
  const inOtherCase = named((word) => word.toLowerCase() === choice.toLowerCase());
  const byWord = exactly.length > 0 ? exactly : inOtherCase.length > 0 ? inOtherCase : named((word) => word === whole);
  return [...new Set([...(place >= 0 ? [place] : []), ...byWord])];
}

const offered = ({ choices, takes_text }: Asked): string =>
  [...choices.map(({ word }, index) => `${index + 1} (${word})`), ...(takes_text ? ["--text TEXT"] : [])].join(", ");
