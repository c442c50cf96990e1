/** What Codex is started with, by version. */
import { expect, test } from "bun:test";
import { codex } from "../../src/core/codex/codex.ts";

const choice = { sandbox: "danger-full-access", approval: "never" };

test("the arguments are the contract's, apart from the daemon where it can be avoided", () => {
  const old = codex.features("0.130.0", "");
  expect(old).toEqual({ version: "0.130.0", noDaemon: false, lateRollout: false, queue: false });
  expect(codex.launchArguments({ ...choice, prompt: "Fix it" }, old)).toEqual([
    "--sandbox",
    "danger-full-access",
    "--ask-for-approval",
    "never",
    "Fix it",
  ]);
  const now = codex.features("0.169.0", "Options:\n      --no-daemon\n          Run without the shared daemon\n");
  expect(now).toEqual({ version: "0.169.0", noDaemon: true, lateRollout: true, queue: false });
  expect(codex.launchArguments({ ...choice, prompt: null }, now)).toEqual([
    "--no-daemon",
    "--sandbox",
    "danger-full-access",
    "--ask-for-approval",
    "never",
  ]);
  expect(codex.launchArguments({ ...choice, prompt: "--help me" }, now).slice(-2)).toEqual(["--", "--help me"]);
});

test("help is asked only of versions that may need it", () => {
  expect(["0.130.0", "0.149.9", null].map(codex.needsHelp)).toEqual([false, false, false]);
  expect(["0.150.0", "0.169.0-alpha.1", "1.0.0"].map(codex.needsHelp)).toEqual([true, true, true]);
});

test("the program file tells the agent from a script", () => {
  expect(["/x/bin/codex", "codex", "/opt/codex-x86_64-unknown-linux-musl"].map(codex.isExecutable)).toEqual([true, true, true]);
  expect(["/usr/bin/node", "/bin/sh", "/usr/bin/cat", "/x/codex/bin/tool", "/x/mycodex"].map(codex.isExecutable)).toEqual([
    false,
    false,
    false,
    false,
    false,
  ]);
});

test("a server for many sessions is told from a session by its words", () => {
  for (const words of ["codex app-server", "codex app-server --listen unix:/s", "codex -c model=x app-server"])
    expect(codex.isSharedServer(words.split(" "))).toBe(true);
  for (const words of ["codex", "codex --no-daemon", "codex --sandbox read-only app-server", "codex resume app-server"])
    expect(codex.isSharedServer(words.split(" "))).toBe(false);
});
