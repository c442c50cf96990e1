/** Rests until it is woken, and says by what: a ring for each way in which something comes from outside. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Bell } from "../../../src/system/files/bell.ts";
import { watchFolder } from "../../../src/system/files/watch.ts";
import { LongRest } from "../../../src/system/processes/long-rest.ts";

const [place = "", way = ""] = process.argv.slice(2);
const bell = new Bell();
let by = "nothing";
const ring = (what: string): void => {
  by = what;
  bell.ring();
};

if (way === "folder") watchFolder(place, (name) => name === "something" && ring("folder"));
else if (way === "signal") process.on("SIGUSR1", () => ring("signal"));
else if (way === "pipe") process.stdin.on("data", () => ring("pipe"));
else if (way === "timer") setTimeout(() => ring("timer"), 1500);

let looks = 0;
const rest = new LongRest(bell, () => {
  looks++;
  writeFileSync(join(place, "asleep"), "");
  return way === "look" && existsSync(join(place, "something"));
});
writeFileSync(join(place, "ready"), "");
const rung = await rest.wait(way === "look" || way === "time" ? 7000 : 60_000);
// It looks when it has slept, and not in a circle.
console.log(JSON.stringify({ rung, by, slept: looks > 0 && looks < 20 }));
process.exit(0);
