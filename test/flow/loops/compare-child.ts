/** Compares two pictures in a process of its own and says what came out and how much memory that took, in bytes. */
import { existsSync, readFileSync } from "node:fs";
import { compareFiles } from "../../../src/flow/loops/visual-diff.ts";

const [reference, candidate, overlayOutput] = process.argv.slice(2) as [string, string, string];
const { diff, files } = await compareFiles({ reference, candidate, threshold: 0, overlayOutput });
for (const file of files) file.place();
// On Linux the peak that getrusage tells begins with that of the process which started this one: the program's own stands in /proc.
const own = /VmHWM:\s+(\d+) kB/.exec(existsSync("/proc/self/status") ? readFileSync("/proc/self/status", "utf8") : "")?.[1];
console.log(JSON.stringify({ ...diff, memory: (own === undefined ? process.resourceUsage().maxRSS : Number(own)) * 1024 }));
