/** A model that a script plays on loopback: what it is asked, and what it may do. Each agent's own API is served by its machine half. */
import type { JsonObject } from "../json.ts";

/** What the agent asks of its model. */
export interface ModelRequest {
  /** The session that asks; one of its own may ask for a title. */
  readonly threadId: string;
  /** The conversation as it stands, oldest first, in the form of the agent's API. */
  readonly input: readonly JsonObject[];
  /** Everything the user said in this conversation, oldest first, without what the agent adds about its surroundings. */
  readonly userTexts: readonly string[];
  /** What the newest tool call has given, in the agent's words, when nothing was said since; else null. */
  readonly toolOutput: string | null;
  /** The same without what the agent says about it: what a command printed. */
  readonly printed: string | null;
  /** How many tool calls of this conversation have given something. */
  readonly answered: number;
  /** Aborted when the client hangs up, as it does on an interrupt. */
  readonly signal: AbortSignal;
}

/** One thing a model may do: say something, or run a command with the agent's own tool. */
export type ModelItem = { readonly say: string } | { readonly run: string; readonly waitMs?: number; readonly escalate?: string };

/** Decides what the model does next; it may wait for as long as it likes. */
export type ModelScript = (request: ModelRequest) => ModelItem[] | Promise<ModelItem[]>;

export interface ScriptedModel {
  /** Where it answers, as the agent's settings name it. */
  readonly url: string;
  stop(): Promise<void>;
}
