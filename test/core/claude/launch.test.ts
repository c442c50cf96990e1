/** The words that Claude Code is started with, and what its installation is taken for. */
import { expect, test } from "bun:test";
import type { LaunchChoice } from "../../../src/core/agent/agent.ts";
import { agents } from "../../../src/core/agent/agents.ts";
import { claude } from "../../../src/core/claude/claude.ts";
import { Failure } from "../../../src/core/failure.ts";

const help = "  --session-id <uuid>                   Use a specific session ID for the";
const features = claude.features("2.1.332 (Claude Code)", help);
const id = "11111111-2222-4333-8444-555555555555";
const bypass: LaunchChoice = { sandbox: "danger-full-access", approval: "never", permissionMode: null, prompt: null, sessionId: null };
const words = (more: Partial<LaunchChoice> = {}) => claude.launchArguments({ ...bypass, ...more }, features);
const valueOf = (list: readonly string[], flag: string) => list[list.indexOf(flag) + 1]!;

test("a session has the id, the permissions, the model and the prompt that were chosen", () => {
  const all = words({ sessionId: id, model: "opus", effort: "high", prompt: "do it" });
  expect(all).toEqual([
    "--session-id",
    id,
    "--permission-mode",
    "bypassPermissions",
    "--settings",
    '{"skipDangerousModePermissionPrompt":true,"crossSessionInbound":"accept"}',
    "--model=opus",
    "--effort=high",
    "--",
    "do it",
  ]);
  expect(words()).toEqual(all.slice(2, 6));
});

test("Codex's two words become a mode where one says the same, and any other pair is refused", () => {
  const mode = (sandbox: string, approval: string) => valueOf(words({ sandbox, approval }), "--permission-mode");
  expect(mode("danger-full-access", "never")).toBe("bypassPermissions");
  expect(mode("workspace-write", "on-request")).toBe("manual");
  expect(mode("read-only", "never")).toBe("plan");
  expect(mode("read-only", "on-request")).toBe("plan");
  for (const [sandbox, approval] of [
    ["danger-full-access", "on-request"],
    ["workspace-write", "never"],
    ["workspace-write", "untrusted"],
    ["read-only", "on-failure"],
    ["constructor", "toString"],
  ] as const)
    try {
      mode(sandbox, approval);
      expect(`${sandbox} ${approval}`).toBe("refused");
    } catch (error) {
      expect(error).toBeInstanceOf(Failure);
      expect((error as Failure).message).toContain(`--sandbox ${sandbox} with --ask-for-approval ${approval}`);
      expect((error as Failure).hint).toContain("--permission-mode");
    }
});

test("its own word for the permissions is taken as it is, and only a real one", () => {
  for (const permissionMode of ["manual", "acceptEdits", "plan", "dontAsk", "auto", "bypassPermissions"])
    expect(valueOf(words({ permissionMode }), "--permission-mode")).toBe(permissionMode);
  expect(valueOf(words({ permissionMode: "manual" }), "--settings")).toBe('{"crossSessionInbound":"accept"}');
  expect(() => words({ permissionMode: "yolo" })).toThrow('Claude Code knows no permission mode "yolo"');
});

test("root runs it without asking only where it is said to be in a sandbox", () => {
  const check =
    (choice: object, root: boolean, env: Record<string, string> = {}) =>
    () =>
      claude.checkPermissions({ ...bypass, ...choice }, { root, env });
  expect(check({}, true)).toThrow("Claude Code does not run as root without asking before it acts");
  expect(check({ permissionMode: "bypassPermissions" }, true, { IS_SANDBOX: "0" })).toThrow(Failure);
  for (const fine of [check({}, false), check({}, true, { IS_SANDBOX: "1" }), check({ permissionMode: "manual" }, true)]) fine();
  expect(check({ sandbox: "read-only", approval: "untrusted" }, false)).toThrow("--sandbox read-only");
  expect(() => agents.codex.checkPermissions({ ...bypass, permissionMode: "plan" }, { root: false, env: {} })).toThrow(
    "Codex has no permission modes",
  );
  agents.codex.checkPermissions(bypass, { root: true, env: {} });
});

test("a prompt is the last word, behind the end of the flags, and no command of anybody's", () => {
  const prompt = (text: string) => words({ prompt: text }).slice(-2);
  expect(prompt("--dangerously-skip-permissions")).toEqual(["--", " --dangerously-skip-permissions"]);
  expect(prompt("-p do it")).toEqual(["--", "-p do it"]);
  expect(prompt("/clear and go on")).toEqual(["--", "\u2800/clear and go on"]);
  expect(prompt(" /clear")).toEqual(["--", "\u2800 /clear "]);
  expect(prompt("hid\u202eden")).toEqual(["--", " hidden"]);
  expect(prompt("!rm -rf x")).toEqual(["--", " !rm -rf x"]);
  for (const command of ["doctor", "purge", "update", "mcp"]) expect(prompt(command)).toEqual(["--", ` ${command}`]);
  const plain = (flags: string[]) => claude.plainArguments({ cwd: "/srv", flags, prompt: "do it" }, features);
  expect(plain(["--allowedTools", "Bash(ls *)"])).toEqual([
    "--settings",
    '{"crossSessionInbound":"accept"}',
    "--allowedTools",
    "Bash(ls *)",
    "--",
    "do it",
  ]);
  expect(plain(["--settings=own.json"])).toEqual(["--settings=own.json", "--", "do it"]);
});

test("a session is gone on with as it was begun, by its own id and no other", () => {
  const resumed = (started: string[] | null) => claude.resumeArguments(id, features, started);
  expect(resumed(null)).toEqual(["--resume", id]);
  expect(resumed(["claude", "--session-id", "other", ...words({ model: "opus" })])).toEqual([...words({ model: "opus" }), "--resume", id]);
  expect(resumed(["claude", "--session-id=other", "-r", "other", "--verbose"])).toEqual(["--verbose", "--resume", id]);
  expect(resumed(["claude", "--resume", "--verbose"])).toEqual(["--verbose", "--resume", id]);
});

test("what the installation can do is told by its version and its help", () => {
  expect(features).toEqual({
    version: "2.1.332 (Claude Code)",
    noDaemon: false,
    lateRollout: false,
    queue: true,
    served: false,
    sessionId: true,
  });
  expect(["2.1.223", "2.1.224", "2.2.0", "3.0.0", "1.9.999", null].map((version) => claude.features(version, "").queue)).toEqual([
    false,
    true,
    true,
    true,
    false,
    false,
  ]);
  expect(claude.features("1.0.0", "").sessionId).toBe(false);
  expect(claude.capabilities(features)).toMatchObject({ proof: true, push: true, queue: true, protocol: false, resume: true });
});

test("its ids and its executables, and none of anybody else", () => {
  expect(claude.isSessionId(id)).toBe(true);
  for (const text of ["", "../x", `${id}x`, "the worker"]) expect(claude.isSessionId(text)).toBe(false);
  for (const path of [
    "/usr/lib/node_modules/@anthropic-ai/claude-code-linux-x64/claude",
    "/usr/lib/node_modules/@anthropic-ai/claude-code/bin/claude.exe",
    "/home/dev/.local/share/claude/versions/2.1.332",
  ])
    expect(claude.isExecutable(path)).toBe(true);
  for (const path of ["/usr/bin/node", "/bin/bash", "/home/dev/claude/run.sh", "/opt/claude/"])
    expect(claude.isExecutable(path)).toBe(false);
});

test("the files of a demonstration name the model's address, and the folders that are trusted; its inboxes lie in its home", () => {
  const { files, environment } = claude.scripted({ home: "/srv/home", modelUrl: "http://127.0.0.1:1", trustedFolders: ["/srv/a b"] });
  const parsed = Object.fromEntries(files.map(({ file, text }) => [file, JSON.parse(text)]));
  expect(parsed["settings.json"]).toMatchObject({
    env: { ANTHROPIC_BASE_URL: "http://127.0.0.1:1" },
    skipDangerousModePermissionPrompt: true,
  });
  expect(parsed[".claude.json"].projects).toEqual({ "/srv/a b": { hasTrustDialogAccepted: true } });
  expect(environment.CLAUDE_CODE_TMPDIR).toBe("/srv/home");
});
