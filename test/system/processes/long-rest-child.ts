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

let ticks = 0;
setInterval(() => ticks++, 5);
const ticked: number[] = [];
const rest = new LongRest(bell, () => {
  ticked.push(ticks);
  writeFileSync(join(place, "asleep"), "");
  return way === "look" && existsSync(join(place, "something"));
});
writeFileSync(join(place, "ready"), "");
const rung = await rest.wait(way === "look" || way === "time" ? 7000 : 60_000);
// Two looks of one sleep have no tick between them.
console.log(JSON.stringify({ rung, by, slept: ticked.some((count, index) => index > 0 && count === ticked[index - 1]) }));
process.exit(0);
