/**
 * Values of another type than their column has. Only the tables of our own are STRICT: in the others, any program that writes to the file
 * can leave, say, bytes where a text belongs, and no reader expects them.
 */
import { Failure } from "../core/failure.ts";
import { quoteWord } from "../core/shell.ts";
import type { Check } from "./health.ts";
import type { Store } from "./store.ts";

interface WrongValue {
  readonly table: string;
  readonly column: string;
  /** SQLite's number of the row. */
  readonly row: number;
  readonly type: string;
}

/** What a column may hold besides null, by the type that it was declared with. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = { TEXT: ["text"], INTEGER: ["integer"], REAL: ["real", "integer"] };

const MOST = 100;

interface Column {
  readonly name: string;
  readonly type: string;
  readonly pk: number;
  readonly notnull: number;
}

/** Finds them, reading every table that may hold some; not more than `most`. */
function wrongValues({ db }: Store, most: number): WrongValue[] {
  const found: WrongValue[] = [];
  const tables = db
    .query<{ name: string }, []>("select name from pragma_table_list where schema = 'main' and type = 'table' and strict = 0 and wr = 0")
    .all();
  for (const { name: table } of tables) {
    const columns = db.query<Column, [string]>('select name, type, pk, "notnull" from pragma_table_info(?)').all(table);
    const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
    const conditions = columns.flatMap(({ name, type, pk, notnull }) => {
      const allowed = ALLOWED[type.toUpperCase()];
      // A key that is null is allowed by SQLite, for an old mistake's sake, and by nobody else. What must not be null only damage makes so.
      const types = allowed && [...allowed, ...(pk > 0 || notnull > 0 ? [] : ["null"])].map((each) => `'${each}'`).join(", ");
      return types ? [{ name, wrong: `typeof(${quoted(name)}) not in (${types})` }] : [];
    });
    if (conditions.length === 0) continue;
    const which = conditions.map(({ name, wrong }) => `when ${wrong} then '${name.replaceAll("'", "''")}'`).join(" ");
    const rows = db
      .prepare<{ row: number; column: string }, [number]>(
        `select rowid as "row", case ${which} end as "column" from ${quoted(table)} where "column" is not null limit ?`,
      )
      .all(most - found.length);
    for (const { row, column } of rows) {
      const type = db
        .prepare<{ type: string }, [number]>(`select typeof(${quoted(column)}) as type from ${quoted(table)} where rowid = ?`)
        .get(row)!.type;
      found.push({ table, column, row, type });
    }
    if (found.length >= most) break;
  }
  return found;
}

/** The check of `db-doctor`: the first hundred such values. */
export function checkValueTypes(store: Store): Check {
  try {
    const wrong = wrongValues(store, MOST);
    return { name: "value_types", ok: wrong.length === 0, wrong };
  } catch (error) {
    if (!(error as { code?: string }).code?.startsWith("SQLITE_CORRUPT")) throw error;
    return { name: "value_types", ok: false, wrong: [], error: (error as Error).message };
  }
}

/** What to say instead of an error that nobody foresaw, when the records hold a value that nobody could; else undefined. */
export function wrongTypeFailure(store: Store): Failure | undefined {
  const [first] = checkValueTypes(store).wrong as WrongValue[];
  return (
    first &&
    new Failure(
      `the database ${store.path} holds a value of a wrong type, which another program wrote: ${first.table}.${first.column} in row ` +
        `${first.row} is ${first.type === "null" ? "missing" : `of type ${first.type}`}`,
      { hint: `conveyor db-doctor names all of them; put them right with: sqlite3 ${quoteWord(store.path)}` },
    )
  );
}
