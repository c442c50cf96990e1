/** Claude Code as an agent: the pure half of its port. */
import type { Agent, ScriptedSetup } from "../agent/agent.ts";
import { screenWords } from "../agent/page-words.ts";
import { versionNumbers } from "../agent/version.ts";
import { checkPermissions, confined, launchArguments, permissionModes, plainArguments, resumeArguments } from "./launch.ts";
import { remember } from "./memory.ts";
import { readScreen } from "./screen.ts";
import { openSteps, stepEnd } from "./steps.ts";
import { homeOf, isKnown, isPath, mayAbort, mayProve, parseHead, recordName, translate, wakes } from "./transcript.ts";
import { clearKeys, folds, pastes, typeable } from "./typing.ts";
import { startupVerdict, waitOf } from "./waits.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** From 2.1.224 on sessions take messages from others, at a socket that its registry names. */
function hasInbox(version: string | null): boolean {
  const [major, minor, patch] = versionNumbers(version);
  return major > 2 || (major === 2 && (minor > 1 || (minor === 1 && patch >= 224)));
}

/** Settings, and the state in which a person has seen the first pages, that make it talk to a Messages API of ours and ask nobody. */
function scripted({ home, modelUrl, trustedFolders }: Parameters<Agent["scripted"]>[0]): ScriptedSetup {
  const settings = {
    env: {
      ANTHROPIC_BASE_URL: modelUrl,
      ANTHROPIC_AUTH_TOKEN: "scripted",
      DISABLE_TELEMETRY: "1",
      DISABLE_AUTOUPDATER: "1",
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    },
    skipDangerousModePermissionPrompt: true,
    crossSessionInbound: "accept",
  };
  const state = {
    hasCompletedOnboarding: true,
    projects: Object.fromEntries(trustedFolders.map((folder) => [folder, { hasTrustDialogAccepted: true }])),
  };
  return {
    files: [
      { file: "settings.json", text: `${JSON.stringify(settings, null, 2)}\n` },
      { file: ".claude.json", text: `${JSON.stringify(state, null, 2)}\n` },
    ],
    // The inboxes of its sessions lie in the first, else in a folder that all have in common. What runs is what the script says, and root
    // may leave that unasked too.
    environment: { CLAUDE_CODE_TMPDIR: home, IS_SANDBOX: "1" },
  };
}

export const claude: Agent = {
  key: "claude",
  label: "Claude Code",
  program: "claude",
  tmuxPrefix: "claude-",
  install: "npm install --global @anthropic-ai/claude-code",
  tested: { from: "2.1.332", to: "2.1.332" },
  home: { variable: "CLAUDE_CONFIG_DIR", folder: ".claude" },
  // The second allows a session of root's to ask nobody: whoever runs it has said that it is in a sandbox.
  passOn: ["CLAUDE_CONFIG_DIR", "IS_SANDBOX"],
  selfVariable: "CLAUDE_CODE_SESSION_ID",
  inside: [
    "CLAUDECODE",
    "CLAUDE_CODE_SESSION_ID",
    "CLAUDE_PID",
    "CLAUDE_CODE_ENTRYPOINT",
    "CLAUDE_CODE_CHILD_SESSION",
    "CLAUDE_CODE_MESSAGING_SOCKET",
    "AI_AGENT",
  ],
  standbyPrompt:
    "You are on standby as a supervised worker. Change nothing and run " +
    "nothing. Answer with the one word ready, then wait for instructions.",
  efforts: ["low", "medium", "high", "xhigh", "max"],
  isSessionId: (text) => UUID.test(text),
  permissionModes,
  checkPermissions,
  confined,
  launchArguments,
  plainArguments,
  resumeArguments: (sessionId, _features, started) => resumeArguments(sessionId, started),
  features: (version, help) => ({
    version,
    noDaemon: false,
    // It appears at the first turn, too, but its session is known before by the id that we choose.
    lateRollout: false,
    queue: hasInbox(version),
    served: false,
    sessionId: /(^|\s)--session-id\b/.test(help),
  }),
  helpPages: () => [["--help"]],
  capabilities: (features) => ({
    proof: true,
    push: true,
    protocol: false,
    queue: features.queue,
    // What its inbox takes is read with the next result of a tool.
    steer: features.queue,
    interrupt: true,
    answer: true,
    resume: true,
    model: true,
    effort: true,
    limits: false,
    tokens: true,
    headless: false,
  }),
  stumbled: () => false,
  transcript: {
    name: "transcript",
    isPath,
    homeOf,
    head: parseHead,
    remember,
    translate,
    recordName,
    isKnown,
    wakes,
    mayProve,
    mayAbort,
    openSteps,
    stepEnd,
  },
  screen: {
    // It hides the cursor and draws one.
    cursorShown: false,
    read: readScreen,
    describe: screenWords("Claude Code"),
    startup: startupVerdict,
    waitOf,
  },
  keys: {
    interrupt: "Escape",
    // Ctrl-X Enter (2.1.332). Its keys are read late when it has much to do, and by then a page may ask what Enter would approve.
    enqueue: "\x18\r",
    clear: clearKeys,
    slash: { compact: "/compact", clear: "/clear" },
    typeable,
    pastes,
    folds,
  },
  served: null,
  queue: { transport: "claude_inbox", colleague: true },
  // By npm under its own name, or for Windows' sake with an ending; by its own installer under its version's.
  isExecutable: (path) => /(^|\/)claude(\.exe)?$|\/claude\/versions\/[^/]+$/.test(path),
  isSharedServer: () => false,
  steering: /^(CLAUDE|ANTHROPIC_|AI_AGENT$)/,
  scripted,
};
