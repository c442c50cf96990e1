/** Version 22 whole, as SQL text: every statement says `if not exists`, so running it again changes nothing. */
import indexes from "./indexes.sql" with { type: "text" };
import observations from "./observations.sql" with { type: "text" };
import records from "./records.sql" with { type: "text" };
import tasks from "./tasks.sql" with { type: "text" };

/** What `PRAGMA user_version` says of a file of this schema; it stays 22 so that 0.1.0 and this tool open each other's files. */
export const schemaVersion = 22;

export const tablesSql = [tasks, observations, records].join("\n");

/** Indexes and triggers; needs every column of the tables to be there. */
export const indexesSql = indexes;

const namesOf = (kind: RegExp, text: string): string[] => [...text.matchAll(kind)].map((match) => match[1]!).sort();

export const tableNames = (): string[] => namesOf(/^create (?:virtual )?table if not exists (\w+)/gm, tablesSql);
export const indexNames = (): string[] => namesOf(/^create (?:unique )?index if not exists (\w+)/gm, indexesSql);
export const triggerNames = (): string[] => namesOf(/^create trigger if not exists (\w+)/gm, indexesSql);

const bodyOf = (table: string): string => {
  const body = new RegExp(`^create table if not exists ${table} \\(\\n([\\s\\S]*?)\\n\\);$`, "m").exec(tablesSql)?.[1];
  if (body === undefined) throw new Error(`schema 22 has no table ${table}`);
  return body;
};

/** The statement that creates `table` under another name, for rebuilding it. Throws when version 22 has no such table. */
export const tableSql = (table: string, as: string): string => `create table ${as} (\n${bodyOf(table)}\n)`;

/** What stands behind `add column` to give `table` its `column` of version 22. Throws when there is none. */
export function columnSql(table: string, column: string): string {
  const line = bodyOf(table)
    .split("\n")
    .find((text) => text.startsWith(`  ${column} `));
  if (line === undefined) throw new Error(`schema 22 has no column ${table}.${column}`);
  return line.trim().replace(/,$/, "");
}
