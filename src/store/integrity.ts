/** Whether every page, row and index of the file is what it should be: SQLite's own `integrity_check`. Looks only, repairs nothing. */
import type { Check } from "./health.ts";
import { brief, damageHint } from "./sqlite-failure.ts";
import type { Store } from "./store.ts";

/** Told before each part: what it is, how many are done, and of how many. */
type PartTeller = (part: string, done: number, parts: number) => void;

const MOST_ERRORS = 100;

/**
 * Runs the whole check in parts, since SQLite does not tell how far it is: all pages first, for which `quick_check` is enough, then table
 * by table its rows against its indexes, which takes most of the time.
 */
export function checkIntegrity(store: Store, told: PartTeller = () => {}): Check {
  const errors = new Set<string>();
  const look = (pragma: string): void => {
    try {
      for (const row of store.db.prepare<Record<string, string>, []>(`pragma ${pragma}`).all()) {
        const said = Object.values(row)[0]!;
        if (said !== "ok") errors.add(brief(said));
      }
    } catch (error) {
      errors.add(brief((error as Error).message));
    }
  };
  const tables = tablesOf(store);
  told("the pages", 0, tables.length + 1);
  look("quick_check");
  for (const [at, name] of tables.entries()) {
    told(name, at + 1, tables.length + 1);
    look(`integrity_check('${name.replaceAll("'", "''")}')`);
  }
  const ok = errors.size === 0;
  return {
    name: "integrity_check",
    ok,
    errors: [...errors].slice(0, MOST_ERRORS),
    ...(!ok && { error_count: errors.size, hint: damageHint(store.path) }),
  };
}

const tablesOf = (store: Store): string[] => {
  try {
    return store.db
      .query<{ name: string }, []>("select name from sqlite_master where type = 'table' order by name")
      .all()
      .map(({ name }) => name);
  } catch {
    // What keeps them from being listed is what the first part says.
    return [];
  }
};
