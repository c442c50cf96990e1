/**
 * A dispatcher that dies by SIGKILL at a chosen commit: run by the crash tests as a process of its own. Words: number of the commit, `before` or
 * `after`; and `digest` where it watches for one pass, in which the first commit is the one that routes an ended turn; or where it goes on with
 * turns that died of a limit, by how many milliseconds it is ahead of its time: then the first commit is the one that claims such a turn.
 */
import { makeContext } from "../../../src/context.ts";
import { runDispatch } from "../../../src/flow/dispatch/run-dispatch.ts";

const [number, when, more] = [Number(process.argv[2]), process.argv[3], process.argv[4]];
const digest = more === "digest";
const ahead = digest ? undefined : more;
const cx = makeContext({
  env: process.env,
  cwd: process.cwd(),
  argv0: "conveyor",
  tty: { in: false, out: false, err: false },
  write: () => {},
  readStdin: () => new Uint8Array(),
  clock: () => Date.now() + Number(ahead ?? 0),
  uuid: () => crypto.randomUUID(),
});
const store = cx.store();
const { db } = store;
const transaction = db.transaction.bind(db);
let commits = 0;
const first = digest
  ? "select 1 from routed_notifications where state = 'pending'"
  : ahead !== undefined && "select 1 from limit_resumes where state = 'claimed'";
const counts = (): boolean => first === false || db.query(first).get() !== null;
const die = () => process.kill(process.pid, "SIGKILL");

db.transaction = ((change: () => unknown) => {
  const real = transaction(change);
  return {
    deferred: () => real.deferred(),
    immediate() {
      const counted = counts();
      if (counted && ++commits === number && when === "before") die();
      const result = real.immediate();
      if (!counted && counts()) commits++;
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
  watch: digest,
  digests: digest,
  ingest: true,
  intervalSeconds: 2,
  iterations: digest ? 1 : undefined,
  untilUnboundSeconds: null,
  unlessRunning: false,
  ...(ahead === undefined ? {} : { resumeAfterMs: 0 }),
});
cx.close();
