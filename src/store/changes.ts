/** Whether somebody else has committed: SQLite's own counter. */
import type { Store } from "./store.ts";

/** A number that differs from the last one read on this connection exactly when another connection has committed since. */
export const dataVersion = (store: Store): number =>
  store.db.query<{ data_version: number }, []>("pragma data_version").get()!.data_version;
