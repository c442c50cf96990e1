/** What ps and lsof of macOS print, as it stands on the page. */
import { expect, test } from "bun:test";
import { libraryIn } from "../../../src/system/processes/libc.ts";
import { listedFiles, listedHolders, listedProcesses, listedStart } from "../../../src/system/processes/process-listing.ts";

test("ps lists processes in columns of its own width, and anything else is passed over", () => {
  const text = "    1     0\n  338     1\n61234   338\n\nps: illegal option -- q\n  12\n";
  expect(listedProcesses(text)).toEqual([
    { pid: 1, parent: 0 },
    { pid: 338, parent: 1 },
    { pid: 61234, parent: 338 },
  ]);
  expect(listedProcesses("")).toEqual([]);
});

test("a start time stands in UTC, with a padded day", () => {
  expect(listedStart("Sun Nov  2 04:14:15 2025    \n")).toBe(Date.UTC(2025, 10, 2, 4, 14, 15));
  expect(listedStart("Sat Nov 22 23:59:59 2025\n")).toBe(Date.UTC(2025, 10, 22, 23, 59, 59));
  expect(listedStart("\n")).toBeNull();
});

test("lsof's fields: files by their names, nothing of sockets, pipes and kernel queues", () => {
  const text = [
    "p61234",
    "fcwd",
    "n/Users/ada/Library/Application Support/My Project",
    "ftxt",
    "n/opt/homebrew/bin/codex",
    "ftxt",
    "n/usr/lib/dyld",
    "f0",
    "n/dev/ttys004",
    "f3",
    "n->0x5e6d7c8b9a",
    "f4",
    "n",
    "f5",
    "ncount=0, state=0xa",
    "f9",
    "n127.0.0.1:52011->127.0.0.1:443",
    "f11",
    "n*:8080",
    "f12",
    "n/Users/ada/.codex/sessions/2026/11/22/rollout-2026-11-22T14-00-00-01a20349-1da0-7293-8f31-37b3fd84781e.jsonl",
    "",
  ].join("\n");
  expect(listedFiles(text)).toEqual([
    "/Users/ada/Library/Application Support/My Project",
    "/opt/homebrew/bin/codex",
    "/usr/lib/dyld",
    "/dev/ttys004",
    "/Users/ada/.codex/sessions/2026/11/22/rollout-2026-11-22T14-00-00-01a20349-1da0-7293-8f31-37b3fd84781e.jsonl",
  ]);
});

test("lsof's holders of one file, each once", () => {
  expect(listedHolders("p61234\nf12\np70001\nf3\nf4\n")).toEqual([61234, 70001]);
  expect(listedHolders("")).toEqual([]);
});

test("lsof without a UTF-8 locale writes what is not ASCII as escapes", () => {
  expect(listedFiles("p7\nf3\nn/Users/jos\\xc3\\xa9/\\xe2\\x82\\xac 5\n")).toEqual(["/Users/josé/€ 5"]);
});

test("the C library is the one that runs this program, by its whole path", () => {
  const line = (path: string) => `7f0000000000-7f0000001000 r-xp 00000000 08:01 123                        ${path}\n`;
  expect(libraryIn(line("/usr/lib/x86_64-linux-gnu/libm.so.6") + line("/usr/lib/x86_64-linux-gnu/libc.so.6"))).toBe(
    "/usr/lib/x86_64-linux-gnu/libc.so.6",
  );
  expect(libraryIn(line("/lib/x86_64-linux-gnu/libc-2.31.so"))).toBe("/lib/x86_64-linux-gnu/libc-2.31.so");
  expect(libraryIn(line("/lib/ld-musl-aarch64.so.1"))).toBe("/lib/ld-musl-aarch64.so.1");
  expect(libraryIn(line("/home/x/work/libcurl.so.4") + line("[heap]"))).toBeNull();
});
