/** Looking at the sessions while pages are open: one look at a time, and none that outlives its end. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { Machine } from "../../src/dashboard/machine.ts";
import { until, World } from "../harness.ts";

let w: World;
beforeEach(() => {
  w = new World();
});
afterEach(() => w.close());

test("pages that come and go begin no second look beside the first", async () => {
  const cx = w.context();
  let looks = 0;
  const machine = new Machine(cx, cx.store(), () => (looks++, []), () => {}, () => {});
  for (const open of [true, false, true, false, true]) machine.watch(open);
  await machine.close();
  expect(looks).toBe(1);
});

test("a look that fails is said once and ends nothing", async () => {
  const cx = w.context();
  const problems: string[] = [];
  let looks = 0;
  const broken = () => {
    looks++;
    throw new Error("disk I/O error");
  };
  const machine = new Machine(cx, cx.store(), broken, () => {}, (message) => void problems.push(message));
  machine.watch(true);
  await until("the first problem", () => problems.length > 0);
  machine.watch(false);
  machine.watch(true);
  await machine.close();
  expect(looks).toBe(2);
  expect(problems).toEqual(["the sessions could not be looked at: disk I/O error"]);
});

test("the end waits for a look that has begun", async () => {
  const cx = w.context();
  const store = cx.store();
  let asked = false;
  const watched = {
    ...store,
    get db() {
      asked = true;
      return store.db;
    },
  };
  const machine = new Machine(cx, watched, () => [], () => {}, () => {});
  machine.watch(true);
  expect(asked).toBe(false);
  await machine.close();
  expect(asked).toBe(true);
});
