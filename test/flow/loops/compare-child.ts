/** Compares two pictures in a process of its own and says what came out and how much memory that took, in bytes. */
import { compareFiles } from "../../../src/flow/loops/visual-diff.ts";

const [reference, candidate, overlayOutput] = process.argv.slice(2) as [string, string, string];
const { diff, files } = await compareFiles({ reference, candidate, threshold: 0, overlayOutput });
for (const file of files) file.place();
const { maxRSS } = process.resourceUsage();
console.log(JSON.stringify({ ...diff, memory: maxRSS * 1024 }));
