/** The program as a process of its own that dies by SIGKILL before or after a chosen commit. Words: its number (0: never), which of the two, and the command. */
import { run } from "../../../src/run.ts";
import type { Store } from "../../../src/store/store.ts";
import { childContext, dieAtCommit } from "../../child-context.ts";

const [number, when, ...argv] = process.argv.slice(2);
const cx = childContext();
let opened: Store | undefined;

function counted(path?: string): Store {
  const store = cx.store(path);
  dieAtCommit(store.db, Number(number), when);
  return store;
}

process.exit(await run(argv, { ...cx, store: (path?: string) => (opened ??= counted(path)) }));
