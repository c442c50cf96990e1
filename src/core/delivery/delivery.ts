/** What is sent to a session, by which rung, and what proves that it arrived. */
import type { Agent } from "../agent/agent.ts";
import type { Composer } from "../agent/screen.ts";
import { pasteable, plainWords } from "./same-text.ts";

/** Which way the text took. */
export type Transport = "codex_protocol" | "tmux" | "codex_queue" | "claude_inbox" | "inbox";

/**
 * `sending`: begun and not ended, or ended with its process; `delivered`: proof seen, or none possible; `typed`: handed over, proof not
 * seen yet; `failed`: nothing arrived, safe to try again; `unknown`: it may have arrived, a person decides.
 */
const DELIVERY_STATES = ["sending", "delivered", "typed", "pull_required", "failed", "unknown"] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

export type Proof = "seen" | "pending" | "unavailable";

/** Where in a rollout the text stands: the line that is the record, and which line of a message that was merged with others. */
export interface ProofPlace {
  readonly offset: number;
  readonly line: number;
}

/** One thing done or seen on the way, in words. */
export interface DeliveryStep {
  readonly at: string;
  readonly step: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** What a rung ends with. */
export interface Verdict {
  readonly state: DeliveryState;
  readonly transport: Transport | null;
  readonly proof: Proof;
  /** The text may have arrived. */
  readonly started: boolean;
  /** It was handed over to the end, and nothing speaks against its arrival. */
  readonly completed: boolean;
  /** It waits visibly in the agent's own queue: the proof comes when its turn does. */
  readonly accepted: boolean;
  readonly error: string | null;
  readonly errorType: string | null;
  readonly hint: string | null;
  readonly lookedTo: number | null;
  /** Nothing was sent, and what stood in the way goes away by itself: who can wait sends it then. */
  readonly later?: true;
}

/** A verdict about a text that cannot have arrived. */
export const notSent = (transport: Transport | null, errorType: string, error: string, hint: string | null = null): Verdict => ({
  state: "failed",
  transport,
  proof: "pending",
  started: false,
  completed: false,
  accepted: false,
  error,
  errorType,
  hint,
  lookedTo: null,
});

/** The verdict about a text that was seen in the receiver's record. @param lookedTo up to where that was read; null: it was not read for it */
export const arrived = (transport: Transport, lookedTo: number | null): Verdict => ({
  state: "delivered",
  transport,
  proof: "seen",
  started: true,
  completed: true,
  accepted: true,
  error: null,
  errorType: null,
  hint: null,
  lookedTo,
});

/** The words of each line that has any. */
export const linesOf = (text: string): string[] =>
  pasteable(text)
    .split("\n")
    .map(plainWords)
    .filter((line) => line !== "");

/** What a text is looked for by: the words of its lines, blank lines left out. Stored in place of the text. */
export const fingerprint = (text: string, hash: (text: string) => string): { digest: string; lines: number } => {
  const lines = linesOf(text);
  return { digest: hash(lines.join("\n")), lines: lines.length };
};

const squash = (text: string): string => plainWords(text).replaceAll(" ", "");

/**
 * Whether what the composer shows is our text: whole, cut by the height of the composer, or folded into a placeholder. A text that an
 * interrupt put back can stand there as a shell command, with its `!` as the composer's mode.
 */
export function standsInComposer(agent: Agent, composer: Composer, text: string): boolean {
  const shown = composer.shell ? `!${composer.text}` : composer.text;
  const seen = squash(shown);
  const own = squash(text);
  const folded = agent.keys.folds(shown, agent.keys.typeable(text));
  if (folded !== null) return folded;
  return seen !== "" && (seen === own || (seen.length >= 40 && own.includes(seen)));
}
