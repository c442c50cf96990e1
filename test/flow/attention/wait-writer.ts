/** Another process that writes what is waited for, at each word on its input: `message` a delivered message, `turn` the end of one. */
import { appendFileSync } from "node:fs";
import { openStore } from "../../../src/store/open.ts";
import { event } from "../../rollout.ts";

const [path = "", rollout = ""] = process.argv.slice(2);
const store = openStore(path, { now: () => new Date().toISOString(), newId: (prefix) => `${prefix}-${crypto.randomUUID()}` });
const columns = store.db
  .query<{ name: string }, []>(
    "select name from pragma_table_info('routed_notifications') where name not in ('id', 'dedupe_key', 'consumed_at')",
  )
  .all()
  .map(({ name }) => name)
  .join(", ");
let turns = 0;

for await (const line of console) {
  if (line === "turn") {
    const turn_id = `written-${turns++}`;
    appendFileSync(rollout, event({ type: "task_started", turn_id }) + event({ type: "task_complete", turn_id }));
  } else {
    // Another one like the first.
    store.db
      .query(`insert into routed_notifications (${columns}, dedupe_key) select ${columns}, ? from routed_notifications order by id limit 1`)
      .run(crypto.randomUUID());
  }
}
