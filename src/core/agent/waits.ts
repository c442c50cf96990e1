/** What a screen can wait for, as it is reported: the same for every agent. */
import type { Finding } from "./screen.ts";

const finding = <K extends string>(pattern: K, recommended_action: string, reason: string): Finding & { readonly pattern: K } => ({
  pattern,
  reason,
  recommended_action,
});

export const waits = {
  mcp: finding("mcp_startup", "inspect_or_interrupt", "MCP servers are still starting"),
  rateLimit: finding("rate_limit_prompt", "inspect_or_interrupt", "a rate limit prompt stands on the screen"),
  enter: finding("enter_to_confirm", "inspect_or_confirm", "the screen waits for Enter"),
  trust: finding("trust_prompt", "inspect_or_accept_trust", "the screen asks whether to trust the folder"),
  plan: finding("plan_prompt", "inspect_or_confirm", "the screen asks whether to create a plan"),
  approval: finding("approval_prompt", "inspect_or_approve", "the screen asks for an approval"),
  long: finding("long_running_interruptible", "inspect_or_interrupt", "a turn has run for long without a new state"),
} as const;

/** This many records in one reading show a worker that gets on. */
export const LIVELY = 10;
