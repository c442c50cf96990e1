/** The limits of accounts, and the budget of a task, for people. */
import { oneLine } from "../core/plain-text.ts";

interface ShownWindow {
  readonly limit_id: string;
  readonly window: string;
  readonly window_minutes: number | null;
  readonly used_percent: number | null;
  readonly resets_at: string | null;
  readonly told_at: string;
  readonly told_by: string;
}

interface ShownAccount {
  readonly agent: string;
  readonly home: string;
  readonly windows: readonly ShownWindow[];
  readonly sessions: readonly {
    readonly session: string;
    readonly role: string;
    readonly tasks: readonly string[];
    readonly limited: boolean;
    readonly resets_at: string | null;
    readonly parked: number;
  }[];
}

const UNKNOWN = "unknown";

/** How long a window is: `5 h`, `7 d`, `90 min`. */
function lengthOf(minutes: number | null): string {
  if (minutes === null) return UNKNOWN;
  if (minutes % 1440 === 0) return `${minutes / 1440} d`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${minutes} min`;
}

const percent = (used: number | null): string => (used === null ? UNKNOWN : `${Math.round(used * 10) / 10} %`);

const HEADS = ["agent", "home", "window", "length", "used", "full again at", "told at", "told by"];

const rowsOf = ({ agent, home, windows }: ShownAccount): string[][] => {
  const account = [agent, home === "" ? UNKNOWN : oneLine(home)];
  if (windows.length === 0) return [[...account, ...HEADS.slice(2).map(() => UNKNOWN)]];
  return windows.map(({ limit_id, window, window_minutes, used_percent, resets_at, told_at, told_by }) => [
    ...account,
    oneLine(limit_id === "" ? window : `${limit_id} ${window}`),
    lengthOf(window_minutes),
    percent(used_percent),
    resets_at ?? UNKNOWN,
    told_at,
    told_by,
  ]);
};

function sessionLine({ session, role, tasks, limited, resets_at, parked }: ShownAccount["sessions"][number]): string {
  const who = `${session} (${role}${tasks.length === 0 ? "" : ` of ${oneLine(tasks.join(", "))}`})`;
  const how = limited ? `limited${resets_at === null ? ", and nobody told until when" : ` until ${resets_at}`}` : "not limited";
  return `${who}: ${how}${parked === 0 ? "" : `, ${parked} ${parked === 1 ? "message is" : "messages are"} parked for it`}`;
}

/** A table of all windows, then a line for each session. */
export function limitsText(accounts: readonly ShownAccount[]): string {
  if (accounts.length === 0) return "no session is on record, and nothing was told of any limit";
  const lines = [HEADS, ...accounts.flatMap(rowsOf)];
  const widths = HEADS.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const table = lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd(),
  );
  return [...table, ...accounts.flatMap(({ sessions }) => sessions.map(sessionLine))].join("\n");
}

/** How a task stands to its budget, line by line. */
export function budgetText(shown: {
  readonly task: string;
  readonly budget: { readonly tokens: number | null; readonly window_percent: number | null } | null;
  readonly tokens_used: number;
  readonly tokens_cached: number;
  readonly window_used_percent: number | null;
  readonly over: boolean;
  readonly until: string | null;
  readonly parked: number;
}): string {
  const { task, budget, parked } = shown;
  const ofTokens = budget?.tokens == null ? "" : ` of ${budget.tokens}`;
  const most = budget?.window_percent == null ? "" : ` of ${budget.window_percent} %`;
  const window =
    shown.window_used_percent === null ? `nobody told how much${most} is used` : `${percent(shown.window_used_percent)}${most} used`;
  const waiting = parked === 0 ? [] : [`${parked} ${parked === 1 ? "message for its worker waits" : "messages for its worker wait"}`];
  return [
    budget === null ? `${oneLine(task)} has no budget` : `${oneLine(task)} is ${shown.over ? "over" : "within"} its budget`,
    `tokens: ${shown.tokens_used}${ofTokens} used, besides ${shown.tokens_cached} that were cached`,
    `window of its worker's account: ${window}`,
    ...(shown.over ? [`nothing more is said to its worker${shown.until === null ? "" : ` until ${shown.until}`}`] : []),
    ...waiting,
  ].join("\n");
}
