/** The program as a process of its own that dies by SIGKILL before or after a chosen commit. Words: its number (0: never), which of the two, and the command. */
import { makeContext } from "../../../src/context.ts";
import { run } from "../../../src/run.ts";
import type { Store } from "../../../src/store/store.ts";

const [number, when, ...argv] = process.argv.slice(2);
let commits = 0;
const die = (): void => void process.kill(process.pid, "SIGKILL");

function counted(store: Store): Store {
  const { db } = store;
  const transaction = db.transaction.bind(db);
  db.transaction = ((change: () => unknown) => ({
    immediate() {
      const mine = ++commits === Number(number);
      if (mine && when === "before") die();
      const result = transaction(change).immediate();
      if (mine) die();
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
  write: () => {},
  readStdin: () => new Uint8Array(),
  clock: Date.now,
  uuid: () => crypto.randomUUID(),
});
let opened: Store | undefined;
process.exit(await run(argv, { ...cx, store: (path?: string) => (opened ??= counted(cx.store(path))) }));
