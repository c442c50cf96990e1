/**
 * The program as a process of its own that a signal strikes as soon as its records show something. Words: the signal, a query that gives a
 * row from then on (or nothing), and the command.
 */
import { run } from "../../../src/run.ts";
import type { Store } from "../../../src/store/store.ts";
import { aroundCommits, childContext } from "../../child-context.ts";

const [signal, query, ...argv] = process.argv.slice(2);
let struck = query === "";

function watched(store: Store): Store {
  aroundCommits(store.db, {
    after() {
      if (struck || store.db.query(query!).get() === null) return;
      struck = true;
      process.kill(process.pid, signal as NodeJS.Signals);
    },
  });
  return store;
}

const cx = childContext({
  write: (stream, text) => void (stream === "out" ? console.log(text.trimEnd()) : console.error(text.trimEnd())),
});
const stores = new Map<Store, Store>();
const store = (path?: string): Store => {
  const opened = cx.store(path);
  if (!stores.has(opened)) stores.set(opened, watched(opened));
  return opened;
};
process.exit(await run(argv, { ...cx, store }));
