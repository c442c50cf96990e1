/** The workers of a crew as a table, one below the other by manager. */
import type { CrewRow } from "../core/crew.ts";
import { harmless } from "../core/plain-text.ts";
import { age } from "./attention.ts";
import { table } from "./table.ts";

const HEADS = ["task", "worker", "agent", "state", "waits for", "open", "unread", "branch", "tokens", "last words"];
/** What somebody else wrote takes no more of a line. */
const MOST = 60;

const short = (text: string): string => (text.length <= MOST ? text : `${text.slice(0, MOST - 1)}…`);

/** How it stands in one word: what has ended comes before what it was doing. */
const standing = ({ alive, turn, state }: CrewRow): string =>
  alive === false ? "gone" : turn === "crashed" || turn === "failed" ? turn : state === "busy" ? "working" : state;

function cells(row: CrewRow, nowMs: number): string[] {
  const since = age(row.since, nowMs);
  const branch = row.branch ?? (row.changed_files === null ? "-" : "no branch");
  return [
    row.task,
    row.worker,
    row.agent,
    since === null || row.alive === false ? standing(row) : `${standing(row)} ${since}`,
    row.waits_for === null ? "-" : short(row.waits_for.text),
    String(row.open_criteria),
    String(row.unread),
    row.changed_files ? `${branch} +${row.changed_files}` : branch,
    row.tokens === null ? "-" : String(row.tokens),
    row.last_words === null ? "-" : short(row.last_words),
  ].map(harmless);
}

/** A table for each manager, its name above it. */
export function crewText(rows: readonly CrewRow[], nowMs: number): string {
  if (rows.length === 0) return "Nobody works for a manager.";
  const managers = [...new Set(rows.map(({ manager }) => manager))];
  return managers
    .map((manager) => {
      const own = rows.filter((row) => row.manager === manager);
      return [`${harmless(manager)} leads ${own.length}:`, ...table([HEADS, ...own.map((row) => cells(row, nowMs))])].join("\n");
    })
    .join("\n\n");
}
