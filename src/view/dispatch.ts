/** What Dispatch did, as text for people. */

interface Shown {
  readonly [key: string]: unknown;
}

const word = (value: unknown): string => (typeof value === "string" ? value : "");

/** One item in one line: what, to whom, what became of it and why. */
export function itemText(item: Shown): string {
  const what = word(item.command_type) || word(item.signal_type);
  const to = word(item.target_session);
  const how = [item.transport, item.proof === "seen" ? "proof seen" : item.proof === "pending" ? "proof pending" : ""].map(word).filter((text) => text !== "" && text !== item.state);
  const why = word(item.error) || word(item.reason);
  return `${what}${to ? ` -> ${to}` : ""}: ${word(item.state)}${how.length ? ` (${how.join(", ")})` : ""}${why ? `: ${why}` : ""}`;
}

/** The last line of a run: how much, and what became of it. */
export function summaryText(summary: { processed_count: number; iterations: number; watch: boolean; states: Readonly<Record<string, number>> }): string {
  const states = Object.entries(summary.states)
    .sort()
    .map(([state, count]) => `${count} ${state}`);
  const passes = summary.watch ? ` in ${summary.iterations} ${summary.iterations === 1 ? "pass" : "passes"}` : "";
  return `${summary.processed_count} processed${passes}${states.length ? `: ${states.join(", ")}` : ""}`;
}
