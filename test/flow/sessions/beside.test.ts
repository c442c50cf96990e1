/** The Dispatch that pair and revive start: one, also when several start it at once, or the one before died before it was on record. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { BESIDE_ID, besideCommand, startBeside } from "../../../src/flow/sessions/beside.ts";
import { startBackground } from "../../../src/system/processes/run.ts";
import { strike, until, World } from "../../harness.ts";
import { boundPair } from "../../rollout.ts";
import { MAIN } from "../../served-world.ts";

let w: World;
const started: number[] = [];
beforeEach(async () => {
  w = new World();
  w.realTime = true;
  await boundPair(w);
});
afterEach(() => {
  strike(...started.splice(0));
  w.close();
});

/** Its words, run from the source. */
const command = (): string[] => {
  const [verb] = [besideCommand(w.context(), BESIDE_ID, undefined)];
  return [...MAIN, ...verb.slice(verb.indexOf("dispatch"))];
};
const living = async (): Promise<{ pid: number }[]> => (await w.ok("dispatch status --json")).dispatchers.filter((row: any) => row.alive);

/** Starts one as pair and revive do, and gives its pid and what was warned of. */
async function start(): Promise<{ pid: number | null; warned: string }> {
  let warned = "";
  const cx = w.context({}, (_, text) => void (warned += text));
  return { pid: await startBeside(cx, w.store(), command(), (pid) => void started.push(pid)), warned };
}

test("of several that are started at once one stays, and nobody is warned", async () => {
  const all = await Promise.all([start(), start(), start()]);
  const [one, ...more] = await living();
  expect(more).toEqual([]);
  expect(all.map(({ pid }) => pid).filter((pid) => pid !== null)).toEqual([one!.pid]);
  expect(all.map(({ warned }) => warned).join("")).toBe("");
}, 60_000);

test("one that was started by somebody who died before it was on record is the one that stays", async () => {
  const pid = startBackground(command(), w.env, "/")!;
  started.push(pid);
  const next = await start();
  await until("one on record", async () => (await living()).length > 0);
  // Whichever of the two came first: there is one.
  expect(await living()).toHaveLength(1);
  expect([pid, next.pid]).toContain((await living())[0]!.pid);
}, 60_000);

test("one that cannot be started is told of", async () => {
  const cx = w.context({}, (_, text) => void (warned += text));
  let warned = "";
  expect(await startBeside(cx, w.store(), [...MAIN, "dispatch", "--no-such-flag"], (pid) => void started.push(pid))).toBeNull();
  expect(warned).toContain("warning: Dispatch could not be started");
}, 60_000);
