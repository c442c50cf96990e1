/** Looking by oneself where the system does not tell of appends. */
import { expect, test } from "bun:test";
import { lookAfter, lookWhereDeaf } from "../../../src/system/files/watch.ts";
import { until } from "../../harness.ts";

test("looks are close together while things happen and far apart when nothing does", () => {
  expect([0, 100, 200, 1000, 5000, 3_600_000].map(lookAfter)).toEqual([10, 10, 10, 50, 250, 250]);
});

test("looks go on until closed, and there are none where the system tells", async () => {
  let [deaf, hearing] = [0, 0];
  const looks = lookWhereDeaf(() => ++deaf > 0, true);
  const none = lookWhereDeaf(() => ++hearing > 0, false);
  await until("three looks", () => deaf >= 3);
  looks.close();
  const seen = deaf;
  const others = lookWhereDeaf(() => false, true);
  let more = 0;
  const witness = lookWhereDeaf(() => ++more > 0, true);
  await until("time has passed", () => more >= 5);
  for (const each of [others, witness, none]) each.close();
  expect([deaf, hearing]).toEqual([seen, 0]);
});

test("a look may close its own watch", async () => {
  let looked = 0;
  let more = 0;
  const looks = lookWhereDeaf(() => {
    looks.close();
    return ++looked > 0;
  }, true);
  const witness = lookWhereDeaf(() => ++more > 0, true);
  await until("time has passed", () => more >= 5);
  witness.close();
  expect(looked).toBe(1);
});
