/**
 * A landing that dies by SIGKILL at a chosen commit of the records: run by the crash test. Words: number of the commit, `before` or
 * `after`.
 */
import { makeContext } from "../../../src/context.ts";
import { run } from "../../../src/run.ts";

const [number, when] = [Number(process.argv[2]), process.argv[3]];
const cx = makeContext({
  env: process.env,
  cwd: process.cwd(),
  argv0: "conveyor",
  tty: { in: false, out: false, err: false },
  write: () => {},
  readStdin: () => new Uint8Array(),
  clock: () => Date.now(),
  uuid: () => crypto.randomUUID(),
});
const { db } = cx.store();
const transaction = db.transaction.bind(db);
let commits = 0;
const die = () => process.kill(process.pid, "SIGKILL");

db.transaction = ((change: () => unknown) => {
  const real = transaction(change);
  return {
    immediate() {
      if (++commits === number && when === "before") die();
      const result = real.immediate();
      if (commits === number && when === "after") die();
      return result;
    },
  };
}) as unknown as typeof db.transaction;

process.exitCode = await run(["land", "t1"], cx);
