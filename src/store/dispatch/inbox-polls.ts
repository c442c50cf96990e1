/** Which sessions ask their inbox by themselves: when each did last. */
import { toIso } from "../../core/time.ts";
import { type Store, tx } from "../store.ts";

/** Who asked within this time will ask again. */
const LATELY_MS = 120_000;

/** Records that the session takes from its inbox, or waits at it for so long. */
export function notePoll(store: Store, sessionId: string, waitSeconds: number): void {
  tx(store, () => {
    const until = toIso(Date.parse(store.now()) + waitSeconds * 1000);
    store.db
      .query("insert into inbox_polls (session_id, until) values (?1, ?2) on conflict (session_id) do update set until = max(until, ?2)")
      .run(sessionId, until);
  });
}

/** Whether the session waits at its inbox now, or did not long ago. */
export const polledLately = (store: Store, sessionId: string): boolean => {
  const row = store.db.query<{ until: string }, [string]>("select until from inbox_polls where session_id = ?").get(sessionId);
  return row !== null && Date.parse(store.now()) - Date.parse(row.until) < LATELY_MS;
};
