/** The shape of a database, comparable between files whose SQL text differs in spelling, line breaks and column order. */
import type { Database } from "bun:sqlite";

interface Master {
  type: string;
  name: string;
  tbl_name: string;
  sql: string | null;
}

/** Lower case, one space between words, no quotes around names, one form of a reference. */
const plain = (sql: string): string =>
  sql
    .toLowerCase()
    .replace(/\bif not exists /g, "")
    .replace(/"(\w+)"/g, "$1")
    .replace(/\s+/g, " ")
    .replace(/ ?([(),]) ?/g, "$1")
    .replace(/\bunique not null\b/g, "not null unique")
    .trim();

/** The parts of a table's definition, split at the commas of its outermost parentheses, sorted. */
const parts = (sql: string): string[] => {
  const body = plain(sql)
    .replace(/^[^(]*\(/, "")
    .replace(/\)$/, "");
  const found: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < body.length; at++) {
    if (body[at] === "(") depth++;
    if (body[at] === ")") depth--;
    if (body[at] === "," && depth === 0) {
      found.push(body.slice(start, at));
      start = at + 1;
    }
  }
  return [...found, body.slice(start)].sort();
};

/** Every table, index and trigger by name; `only` narrows to these names. */
export function shapeOf(db: Database, only: (name: string) => boolean = () => true): Record<string, string | string[]> {
  const rows = db.query<Master, []>("select type, name, tbl_name, sql from sqlite_master where sql is not null order by name").all();
  const shape: Record<string, string | string[]> = {};
  for (const row of rows) {
    if (row.name.startsWith("sqlite_") || row.name.startsWith("telemetry_events_fts_") || !only(row.name)) continue;
    shape[`${row.type} ${row.name}`] = row.type === "table" ? parts(row.sql!) : plain(row.sql!);
  }
  return shape;
}
