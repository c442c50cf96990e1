/** What is sent to a worker that is to make room in its context: a slash command, or words. */
import type { Agent } from "../agent/agent.ts";
import { quoteCommand } from "../shell.ts";

export interface CompactChoice {
  readonly clear: boolean;
  /** Beats `clear`. */
  readonly promptOnly: boolean;
}

export const slashCommand = ({ keys }: Agent, { clear, promptOnly }: CompactChoice): string | null =>
  promptOnly ? null : clear ? keys.slash.clear : keys.slash.compact;

/** The words a worker gets instead of a slash command, unless others are given. */
export function compactPrompt(program: string, task: string, handoff: { readonly id: number; readonly summary: string } | null): string {
  const saved = handoff === null ? "no handoff is saved yet" : `handoff ${handoff.id} is saved: ${handoff.summary}`;
  return [
    `Task ${JSON.stringify(task)}: ${saved}`,
    "Please check that the handoff holds everything you need to go on. If it does, compact your context, if your client supports that.",
    `If it does not, save a better one first with: ${quoteCommand([program, "handoff", task, "--summary"])} TEXT`,
    "Then report what you did. Do not edit any file.",
  ].join("\n");
}
