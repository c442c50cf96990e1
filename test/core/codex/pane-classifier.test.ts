/** Startup and waiting verdicts on screens, in their order, and what keeps them quiet. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startupVerdict, waitOf } from "../../../src/core/codex/pane-classifier.ts";
import { readScreen } from "../../../src/core/codex/screen.ts";
import { FIXTURES } from "../../harness.ts";

const pattern = (text: string, statusAge: number | null = null, recentEvents = 0) =>
  waitOf(readScreen(text), text, { statusAge, busyWaitSeconds: 90, recentEvents })?.pattern ?? null;
const capture = (name: string) => readFileSync(join(FIXTURES, "codex-0.169.0", "screens", `${name}.txt`), "utf8");

test.each([
  ["Do you TRUST the contents of this directory? OpenAI Codex › working, esc to interrupt, error", "needs_trust"],
  ["OpenAI Codex\n› go\nWorking (esc to interrupt)", "ready"],
  ["Working (3s • Esc to interrupt)\nerror", "working"],
  ["it FAILED", "error"],
  ["OpenAI Codex", "starting"],
  [" \n", "starting"],
] as const)("%j is %s", (text, state) => {
  expect(startupVerdict(text).state).toBe(state);
});

test("blank and unrecognised screens are starting for different reasons", () => {
  expect(startupVerdict("").reason).not.toBe(startupVerdict("hello").reason);
});

test("what an answer says above an idle composer is nothing that Codex is at", () => {
  const shown = (line: string) => `${line}\n\n› Ask Codex to do anything\n\n  gpt-5.4 default · /x\n  ? for shortcuts · f2 to view`;
  const work = "• Starting MCP servers (0/1): a (5s • esc to interrupt)";
  expect(pattern(shown("• Starting MCP servers (0/1)"), 100)).toBeNull();
  expect(pattern(shown("• press esc to interrupt me"), 100)).toBeNull();
  expect(pattern(shown(work), 100)).toBe("mcp_startup");
  expect(pattern(shown("• Working (5s • esc to interrupt)"), 100)).toBe("long_running_interruptible");
});

test("the patterns come in their order", () => {
  const markers = [
    "Starting MCP servers",
    "Approaching rate limits",
    "Press enter to confirm",
    "Do you trust the contents of this directory",
    "Create a plan?",
    "This needs approval",
    "esc to interrupt",
  ];
  const names = [
    "mcp_startup",
    "rate_limit_prompt",
    "enter_to_confirm",
    "trust_prompt",
    "plan_prompt",
    "approval_prompt",
    "long_running_interruptible",
  ];
  markers.forEach((_, at) => expect(pattern(markers.slice(at).reverse().join("\n").toUpperCase(), 100)).toBe(names[at]!));
});

test("a dialog that is seen is named before what goes on behind it", () => {
  const behind = "Starting MCP servers (1/2): files\nWorking (90s • esc to interrupt)\n\n";
  expect(pattern(`${behind}${capture("trust-prompt")}`, 100)).toBe("trust_prompt");
  const page = ["  Something new?", "", "› 1. Yes, continue", "  2. No, quit", "", "  Press enter to continue", ""].join("\n");
  expect(pattern(`${behind}${page}`, 100)).toBe("enter_to_confirm");
});

test("a state younger than the threshold makes everything silent, an unknown age nothing but the long running turn", () => {
  expect(pattern("Create a plan?", 89)).toBeNull();
  expect(pattern("Create a plan?", 90)).toBe("plan_prompt");
  expect(pattern("Create a plan?")).toBe("plan_prompt");
  expect(pattern("esc to interrupt")).toBeNull();
  expect(pattern("esc to interrupt", 90)).toBe("long_running_interruptible");
});

test("a lively rollout silences the long running turn and nothing else", () => {
  expect(pattern("esc to interrupt", 500, 9)).toBe("long_running_interruptible");
  expect(pattern("esc to interrupt", 500, 10)).toBeNull();
  expect(pattern("Create a plan?", 500, 10)).toBe("plan_prompt");
});

test("a prompt that was answered and scrolled up keeps quiet", () => {
  const since = (lines: number) => `Press enter to confirm\n${"done\n\n".repeat(lines)}`;
  expect(pattern(since(11))).toBe("enter_to_confirm");
  expect(pattern(since(12))).toBeNull();
});

test("our own words about approvals are none", () => {
  expect(pattern('"notable_pane_pattern": "approval_prompt: allow"')).toBeNull();
  expect(pattern("inspect_or_approve, permission needed")).toBeNull();
  expect(pattern("approval_prompt was seen\napprove the permission?")).toBe("approval_prompt");
});

test("the screens of Codex 0.169", () => {
  expect(startupVerdict(capture("trust-prompt")).state).toBe("needs_trust");
  expect(pattern(capture("trust-prompt"))).toBe("trust_prompt");
  expect(pattern(capture("approval-prompt"))).toBe("enter_to_confirm");
  expect(startupVerdict(capture("idle-after-first-turn")).state).toBe("ready");
  expect(pattern(capture("idle-after-first-turn"), 500)).toBeNull();
  expect(pattern(capture("working"), 500)).toBe("long_running_interruptible");
});
