/** The workers of a crew, one below the other by manager: a row of short facts each, and below it what takes room. */
import type { CrewRow } from "../core/crew.ts";
import { harmless } from "../core/plain-text.ts";
import { age } from "./attention.ts";
import { table } from "./table.ts";

const HEADS = ["task", "worker", "agent", "state", "open", "unread", "tokens"];
/** What somebody else wrote takes no more of a line, which fits a narrow terminal then. */
const MOST = 60;

const short = (text: string): string => (text.length <= MOST ? text : `${text.slice(0, MOST - 1)}…`);

/** How it stands in one word: what has ended comes before what it was doing. */
const standing = ({ alive, turn, state }: CrewRow): string =>
  alive === false ? "gone" : turn === "crashed" || turn === "failed" ? turn : state === "busy" ? "working" : state;

function cells(row: CrewRow, nowMs: number): string[] {
  const since = age(row.since, nowMs);
  return [
    row.task,
    row.worker,
    row.agent,
    since === null || row.alive === false ? standing(row) : `${standing(row)} ${since}`,
    String(row.open_criteria),
    String(row.unread),
    row.tokens === null ? "-" : String(row.tokens),
  ].map(harmless);
}

/** Where it works, what it waits for, what it said: each where there is something to tell. */
function details({ branch, changed_files, waits_for, last_words }: CrewRow): string[] {
  const changed = changed_files ? `, ${changed_files} ${changed_files === 1 ? "file" : "files"} changed` : "";
  return [
    ...(branch !== null || changed_files !== null ? [`${branch === null ? "on no branch" : `on ${branch}`}${changed}`] : []),
    ...(waits_for === null ? [] : [`waits: ${short(waits_for.text)}`]),
    ...(last_words === null ? [] : [`says: ${short(last_words)}`]),
  ].map((line) => `  ${harmless(line)}`);
}

/** A paragraph for each manager, its name above it. @param root the folder in which these records lie */
export function crewText(rows: readonly CrewRow[], nowMs: number, root: string): string {
  if (rows.length === 0) return `Nobody works for a manager, as the records in ${harmless(root)} know.`;
  const managers = [...new Set(rows.map(({ manager }) => manager))];
  return managers
    .map((manager) => {
      const own = rows.filter((row) => row.manager === manager);
      const [heads, ...lines] = table([HEADS, ...own.map((row) => cells(row, nowMs))]);
      return [`${harmless(manager)} leads ${own.length}:`, heads, ...own.flatMap((row, i) => [lines[i], ...details(row)])].join("\n");
    })
    .join("\n\n");
}
