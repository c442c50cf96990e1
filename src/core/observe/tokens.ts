/** Tokens that a thread used, as they are counted in the records. */
import type { TokenUsage } from "../agent/record.ts";

export const TOKEN_KINDS = ["input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens", "total_tokens"] as const;
export type Tokens = Readonly<Record<(typeof TOKEN_KINDS)[number], number>>;

/** The total of a `token_count` in whole, non-negative numbers. */
export function tokensOf(usage: TokenUsage): Tokens {
  const count = (value: number): number => (Number.isSafeInteger(value) && value >= 0 ? value : 0);
  return {
    input_tokens: count(usage.input),
    cached_input_tokens: count(usage.cachedInput),
    output_tokens: count(usage.output),
    reasoning_output_tokens: count(usage.reasoningOutput),
    total_tokens: count(usage.total),
  };
}

/** What was used between two totals of one thread. A total that went down belongs to a thread that began anew. */
export function tokensBetween(before: Tokens | null, after: Tokens): Tokens {
  if (before === null || after.total_tokens < before.total_tokens) return after;
  return Object.fromEntries(TOKEN_KINDS.map((kind) => [kind, Math.max(0, after[kind] - before[kind])])) as Tokens;
}
