/**
 * Whether a manager of this file may lead several workers. Version 22 keeps one open binding per manager by a unique index; the file takes
 * crews once that index, under its own name, is unique no more. 0.1.0 asks only for the name, as we do, and opens it as before.
 */
import type { Store } from "../store.ts";

const NAME = "one_active_binding_per_manager_session";

/** Whether some manager of this file was ever given a second worker. */
export const takesCrews = ({ db }: Store): boolean =>
  db.query<{ unique: number }, [string]>("select [unique] from pragma_index_list('bindings') where name = ?").get(NAME)?.unique === 0;

/** Makes the file take them from now on, inside the transaction of the caller. */
export function takeCrews(store: Store): void {
  if (takesCrews(store)) return;
  store.db.run(`drop index if exists ${NAME}`);
  store.db.run(`create index ${NAME} on bindings (manager_session_id) where state in ('active', 'ending')`);
}
