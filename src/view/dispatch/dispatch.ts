/** What Dispatch did, as text for people. */

interface Shown {
  readonly [key: string]: unknown;
}

const word = (value: unknown): string => (typeof value === "string" ? value : "");

/** One item in one line: what, to whom, what became of it and why. */
export function itemText(item: Shown): string {
  const what = word(item.command_type) || word(item.signal_type);
  const to = word(item.target_session);
  const how = [
    item.transport,
    typeof item.digest_size === "number" ? `one of ${item.digest_size} messages together` : "",
    item.proof === "seen" ? "proof seen" : item.proof === "pending" ? "proof pending" : "",
  ]
    .map(word)
    .filter((text) => text !== "" && text !== item.state);
  const why = word(item.error) || word(item.reason);
  return `${what}${to ? ` -> ${to}` : ""}: ${word(item.state)}${how.length ? ` (${how.join(", ")})` : ""}${why ? `: ${why}` : ""}`;
}

/** The last line of a run: how much, and what became of it. */
export function summaryText(summary: {
  processed_count: number;
  iterations: number;
  watch: boolean;
  states: Readonly<Record<string, number>>;
}): string {
  const states = Object.entries(summary.states)
    .sort()
    .map(([state, count]) => `${count} ${state}`);
  const passes = summary.watch ? ` in ${summary.iterations} ${summary.iterations === 1 ? "pass" : "passes"}` : "";
  return `${summary.processed_count} processed${passes}${states.length ? `: ${states.join(", ")}` : ""}`;
}

interface StatusShown {
  readonly dispatchers: readonly {
    dispatcher_id: string;
    state: string;
    pid: number;
    host: string;
    started_at: string;
    last_seen_seconds_ago: number | null;
    iterations: number;
    processed_count: number;
    dry_run: boolean;
    last_error: string | null;
  }[];
  readonly pending: {
    commands: number;
    by_type: readonly { type: string; count: number; oldest_age_seconds: number | null }[];
    unrouted_turns: number;
  };
  readonly waiting: readonly { target_session: string; count: number; oldest_age_seconds: number | null }[];
  readonly parked: { readonly count: number; readonly next_at: string | null };
  readonly claimed: readonly {
    type: string;
    task: string | null;
    claimed_by: string | null;
    claim_expires_at: string | null;
    side_effect_started: boolean;
    lease_over: boolean;
  }[];
  readonly uncertain: {
    count: number;
    newest: readonly {
      notification_id: number;
      signal_type: string;
      task: string;
      target_session: string;
      created_at: string;
      error: string | null;
    }[];
  };
}

/** Who dispatches and what lies before them, section by section. */
export function statusText({ dispatchers, pending, waiting, parked, claimed, uncertain }: StatusShown): string {
  const seconds = (age: number | null): string => (age === null ? "" : ` ${age} s`);
  return [
    dispatchers.length === 0 ? "no dispatcher on record" : "dispatchers:",
    ...dispatchers.map(
      (row) =>
        `  ${row.dispatcher_id} ${row.state} pid ${row.pid} on ${row.host}, since ${row.started_at}, ` +
        `seen${seconds(row.last_seen_seconds_ago)} ago, ${row.iterations} passes, ${row.processed_count} processed` +
        `${row.dry_run ? ", dry run" : ""}${row.last_error === null ? "" : `, last error: ${row.last_error}`}`,
    ),
    `pending: ${pending.commands} commands, ${pending.unrouted_turns} ended turns`,
    ...pending.by_type.map(({ type, count, oldest_age_seconds }) => `  ${type}: ${count}, oldest${seconds(oldest_age_seconds)}`),
    ...waiting.map(
      ({ target_session: who, count, oldest_age_seconds }) =>
        `waiting until ${who} can be told: ${count} ended ${count === 1 ? "turn" : "turns"}, oldest${seconds(oldest_age_seconds)}`,
    ),
    `parked: ${parked.count}${parked.next_at === null ? "" : `, the first until ${parked.next_at}`}`,
    `claimed: ${claimed.length}`,
    ...claimed.map(
      (held) =>
        `  ${held.type} of ${held.task ?? "no task"} by ${held.claimed_by ?? "nobody"}` +
        `${held.lease_over ? ", lease over" : ` until ${held.claim_expires_at}`}${held.side_effect_started ? ", sending began" : ""}`,
    ),
    `uncertain: ${uncertain.count}`,
    ...uncertain.newest.map(
      (message) =>
        `#${message.notification_id} ${message.signal_type} -> ${message.target_session} (task ${message.task}) ` +
        `${message.created_at}: ${message.error ?? ""}`,
    ),
  ].join("\n");
}
