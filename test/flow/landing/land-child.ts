/**
 * A landing that dies by SIGKILL at a chosen commit of the records: run by the crash test. Words: number of the commit, `before` or
 * `after`.
 */
import { run } from "../../../src/run.ts";
import { childContext, dieAtCommit } from "../../child-context.ts";

const cx = childContext();
dieAtCommit(cx.store().db, Number(process.argv[2]), process.argv[3]);
process.exitCode = await run(["land", "t1"], cx);
