/**
 * A dispatcher that dies by SIGKILL at a chosen commit: run by the crash tests as a process of its own. Words: number of the commit, `before` or
 * `after`; and `digest` where it watches for one pass, in which the first commit is the one that routes an ended turn; or where it goes on with
 * turns that died of a limit, by how many milliseconds it is ahead of its time: then the first commit is the one that claims such a turn.
 */
import { runDispatch } from "../../../src/flow/dispatch/run-dispatch.ts";
import { aroundCommits, childContext, dieAtOnce } from "../../child-context.ts";

const [number, when, more] = [Number(process.argv[2]), process.argv[3], process.argv[4]];
const digest = more === "digest";
const ahead = digest ? undefined : more;
const cx = childContext({ clock: () => Date.now() + Number(ahead ?? 0) });
const store = cx.store();
const { db } = store;
let commits = 0;
const first = digest
  ? "select 1 from routed_notifications where state = 'pending'"
  : ahead !== undefined && "select 1 from limit_resumes where state = 'claimed'";
const counts = (): boolean => first === false || db.query(first).get() !== null;
let counted = false;

aroundCommits(db, {
  before() {
    counted = counts();
    if (counted && ++commits === number && when === "before") dieAtOnce();
  },
  after() {
    if (!counted && counts()) commits++;
    if (commits === number && when === "after") dieAtOnce();
  },
});

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
