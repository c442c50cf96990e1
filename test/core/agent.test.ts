/** What Codex is started with, by version. */
import { expect, test } from "bun:test";
import { agentOf, chosenAgent } from "../../src/core/agent/agents.ts";
import { agentReport } from "../../src/core/agent/installed.ts";
import { placeInRange } from "../../src/core/agent/version.ts";
import { codex } from "../../src/core/codex/codex.ts";

const choice = { sandbox: "danger-full-access", approval: "never", permissionMode: null, sessionId: null };

test("the arguments are the contract's, apart from the daemon where it can be avoided", () => {
  const old = codex.features("0.130.0", "");
  expect(old).toEqual({ version: "0.130.0", noDaemon: false, lateRollout: false, queue: false, served: false, sessionId: false });
  expect(codex.launchArguments({ ...choice, prompt: "Fix it" }, old)).toEqual([
    "--sandbox",
    "danger-full-access",
    "--ask-for-approval",
    "never",
    "Fix it",
  ]);
  const now = codex.features("0.169.0", "Options:\n      --no-daemon\n          Run without the shared daemon\n");
  expect(now).toEqual({ version: "0.169.0", noDaemon: true, lateRollout: true, queue: false, served: false, sessionId: false });
  expect(codex.launchArguments({ ...choice, prompt: null }, now)).toEqual([
    "--no-daemon",
    "--sandbox",
    "danger-full-access",
    "--ask-for-approval",
    "never",
  ]);
  const ends = (prompt: string) => codex.launchArguments({ ...choice, prompt }, now).slice(4);
  expect(ends("--help me").slice(-2)).toEqual(["--", "--help me"]);
  // One word may be a command of Codex's, and what its composer runs begins with a blank.
  expect(ends("exec").slice(-2)).toEqual(["--", "exec"]);
  expect(ends("!touch x").slice(-1)).toEqual([" !touch x"]);
  expect(ends("/compact").slice(-2)).toEqual(["--", " /compact"]);
});

test("help is asked only of versions that may need it", () => {
  expect(["0.130.0", "0.149.9", null].map(codex.helpPages)).toEqual([[], [], []]);
  const pages = [["--help"], ["app-server", "--help"]];
  expect(["0.150.0", "0.169.0-alpha.1", "1.0.0"].map(codex.helpPages)).toEqual([pages, pages, pages]);
});

test("it is spoken to by protocol where its help names both ends of a socket of ours", () => {
  const draws = "      --remote <ADDR>\n          Accepted forms: `unix://PATH`.\n";
  const listens = "      --listen <URL>\n          Supported values: `stdio://` (default), `unix://`, `unix://PATH`,\n";
  const elsewhere = "      --listen <URL>\n          Supported values: `stdio://`\n\n      --stdio\n          not `unix://PATH`\n";
  const served = (...pages: string[]) => codex.features("0.171.0", pages.join("\n")).served;
  expect([served(draws, listens), served(draws), served(listens), served(draws, elsewhere)]).toEqual([true, false, false, false]);
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

test("model and effort are handed on in words that cannot be a prompt, a flag of their own or a command", () => {
  const now = codex.features("0.169.0", "");
  const words = codex.launchArguments({ ...choice, model: "app-server", effort: "high", prompt: "go" }, now);
  expect(words.slice(4)).toEqual(["--model=app-server", "-c", 'model_reasoning_effort="high"', "--", "go"]);
  expect(codex.isSharedServer(["codex", ...words.slice(4)])).toBe(false);
  expect(codex.keys.interrupt).toBe("Escape");
});

test("a version lies inside, below or above what the tests know", () => {
  const range = { from: "0.169.0", to: "0.171.0" };
  const place = (version: string | null) => placeInRange(version, range);
  expect(["0.169.0", "0.170.3", "0.171.0", "0.171.0-alpha.2"].map(place)).toEqual(["inside", "inside", "inside", "inside"]);
  expect(["0.168.9", "0.130.0"].map(place)).toEqual(["older", "older"]);
  expect(["0.171.1", "0.200.0", "1.0.0"].map(place)).toEqual(["newer", "newer", "newer"]);
  expect(place(null)).toBeNull();
});

test("an agent is told of: its version beside the range, and how to get it where it is not", () => {
  expect(agentReport(codex, null)).toMatchObject({
    path: null,
    in_range: null,
    notes: ["not on PATH: npm install --global @openai/codex"],
  });
  const found = { path: "/x/codex", features: codex.features("0.999.0", "  queue  Queue a message\n") };
  expect(agentReport(codex, found)).toMatchObject({
    agent: "codex",
    version: "0.999.0",
    in_range: false,
    notes: [expect.stringContaining("0.999.0 is newer than any version that the tests know")],
    capabilities: { queue: true, proof: true, headless: false },
  });
});

test("the agent is the one given, else the one that CONVEYOR_AGENT names, else Codex; what a newer version wrote is refused", () => {
  expect([chosenAgent({}), chosenAgent({ CONVEYOR_AGENT: "" }), chosenAgent({ CONVEYOR_AGENT: "x" }, "codex")]).toEqual([
    codex,
    codex,
    codex,
  ]);
  expect(() => chosenAgent({ CONVEYOR_AGENT: "gemini" })).toThrow(
    'CONVEYOR_AGENT names the agent "gemini", which this version does not know yet',
  );
  expect(() => chosenAgent({ CONVEYOR_AGENT: "toString" })).toThrow("which this version does not know yet");
  expect(() => agentOf({ name: "w1", agent: "gemini" })).toThrow('the record of "w1" names the agent "gemini"');
});
