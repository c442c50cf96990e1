/**
 * The program as a process of its own that a signal strikes as soon as its records show something. Words: the signal, a query that gives a
 * row from then on (or nothing), and the command.
 */
import { makeContext } from "../../../src/context.ts";
import { run } from "../../../src/run.ts";
import type { Store } from "../../../src/store/store.ts";

const [signal, query, ...argv] = process.argv.slice(2);
let struck = query === "";

function watched(store: Store): Store {
  const { db } = store;
  const transaction = db.transaction.bind(db);
  db.transaction = ((change: () => unknown) => ({
    immediate() {
      const result = transaction(change).immediate();
      if (!struck && db.query(query!).get() !== null) {
        struck = true;
        process.kill(process.pid, signal as NodeJS.Signals);
      }
      return result;
    },
  })) as unknown as typeof db.transaction;
  return store;
}

const cx = makeContext({
  env: process.env,
  cwd: process.cwd(),
  argv0: "conveyor",
  tty: { in: false, out: false, err: false },
  write: (stream, text) => void (stream === "out" ? console.log(text.trimEnd()) : console.error(text.trimEnd())),
  readStdin: () => new Uint8Array(),
  clock: Date.now,
  uuid: () => crypto.randomUUID(),
});
const stores = new Map<Store, Store>();
const store = (path?: string): Store => {
  const opened = cx.store(path);
  if (!stores.has(opened)) stores.set(opened, watched(opened));
  return opened;
};
process.exit(await run(argv, { ...cx, store }));
