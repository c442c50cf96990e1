/** Opens the database named by the first word the moment its stdin ends, writes one task and prints its id. */
import { openStore } from "../../src/store/open.ts";
import { tx } from "../../src/store/store.ts";

process.stdout.write("ready\n");
await Bun.stdin.text();
const store = openStore(process.argv[2]!, {
  now: () => new Date().toISOString(),
  newId: (prefix) => `${prefix}-${crypto.randomUUID()}`,
});
const id = store.newId("task");
tx(store, () => {
  store.db
    .query("insert into tasks (id, name, goal, state, created_at, updated_at) values (?, 'n', 'g', 'candidate', ?, ?)")
    .run(id, store.now(), store.now());
});
process.stdout.write(`${id}\n`);
