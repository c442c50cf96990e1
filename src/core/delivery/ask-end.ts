/** How something that an agent asked ended, told from what its record has of the step that was asked about, and from its turn. */
import type { StepEnd } from "../agent/agent.ts";
import { sameText } from "./same-text.ts";

export type Answerer = "us" | "person" | "other";

/**
 * `seen`: answered by this one, or gone away unanswered; `unknown`: nobody can tell whether it was, and by whom; null: not yet, its step is
 * not through.
 */
export type AskEnd =
  | { readonly by: Answerer | null; readonly proof: "seen" }
  | { readonly by: null; readonly proof: "unknown" }
  | { readonly by: null; readonly proof: null };

export const UNKNOWN: AskEnd = { by: null, proof: "unknown" };
/** It went away with its turn, and nobody had answered. */
export const UNANSWERED: AskEnd = { by: null, proof: "seen" };

/** Whether an answer lets it be done, as each choice of a page or a protocol begins that does; null: it says neither. */
const said = (answer: string): boolean | null => (/^yes\b/i.test(answer) ? true : /^no\b/i.test(answer) ? false : null);

/**
 * How it ended: the answer that counted is the one that was done. When we and somebody else said the same, it is ours, since nothing tells
 * who was first, and nothing would be different.
 * @param answer what we sent; null when we sent nothing
 * @param step how the step that was asked about ended; null when nothing is told of that
 * @param turnOver nothing more will be told of it
 */
export function askEnd(answer: string | null, step: StepEnd | null, turnOver: boolean): AskEnd {
  if (step === null) return turnOver ? UNKNOWN : { by: null, proof: null };
  // It had run, or was never begun: that looks alike.
  if (step.kind === "cut off") return UNKNOWN;
  if (answer === null) return { by: "other", proof: "seen" };
  const ours = step.kind === "answered" ? step.words.some((word) => sameText(word, answer)) : said(answer) === (step.kind === "done");
  return { by: ours ? "us" : "person", proof: "seen" };
}
