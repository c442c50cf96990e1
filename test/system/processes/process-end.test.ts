/** Being told of the end of processes that are not our children. */
import { expect, test } from "bun:test";
import { watchEnd } from "../../../src/system/processes/process-end.ts";
import { strike, until } from "../../harness.ts";

/** A process whose parent has gone. */
function orphan(): number {
  const done = Bun.spawnSync(["sh", "-c", "sleep 1000 >/dev/null 2>&1 & echo $!"]);
  return Number(done.stdout.toString());
}

test("the end is told once, and of another process nothing", async () => {
  const [dies, lives] = [orphan(), orphan()];
  const told: string[] = [];
  const watches = [watchEnd(dies, () => told.push("dies")), watchEnd(lives, () => told.push("lives"))];
  strike(dies);
  await until("its end", () => told.length > 0);
  expect(told).toEqual(["dies"]);
  watches.forEach((watch) => watch.close());
  strike(lives);
  const last = watchEnd(lives, () => told.push("last"));
  await until("the end of one that has ended", () => told.includes("last"));
  expect(told).toEqual(["dies", "last"]);
  last.close();
});
