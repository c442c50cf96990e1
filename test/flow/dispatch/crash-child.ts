/** A dispatcher that dies by SIGKILL at a chosen commit: run by the crash tests as a process of its own. Words: number of the commit, `before` or `after`. */
import { makeContext } from "../../../src/context.ts";
import { runDispatch } from "../../../src/flow/dispatch/run-dispatch.ts";

const [number, when] = [Number(process.argv[2]), process.argv[3]];
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
const store = cx.store();
const { db } = store;
const transaction = db.transaction.bind(db);
let commits = 0;
const die = () => process.kill(process.pid, "SIGKILL");

db.transaction = ((change: () => unknown) => {
  const real = transaction(change);
  return {
    immediate() {
      commits++;
      if (commits === number && when === "before") die();
      const result = real.immediate();
      if (commits === number && when === "after") die();
      return result;
    },
  };
}) as unknown as typeof db.transaction;

await runDispatch(cx, store, {
  dispatcherId: "crash",
  leaseSeconds: 60,
  only: undefined,
  limit: 100,
  dryRun: false,
  watch: false,
  ingest: true,
  intervalSeconds: 2,
  iterations: undefined,
  untilUnboundSeconds: null,
});
cx.close();
