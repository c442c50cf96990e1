/** Codex as an agent: the pure half of its port. */
import type { Agent, LaunchChoice, ModelChoice, PermissionChoice, TranscriptMemory } from "../agent/agent.ts";
import { screenWords } from "../agent/page-words.ts";
import { versionNumbers } from "../agent/version.ts";
import { Failure } from "../failure.ts";
import { startupVerdict, waitOf } from "./pane-classifier.ts";
import { parseRolloutMeta } from "./rollout-meta.ts";
import { isKnown, parseRecord, recordName } from "./rollout.ts";
import { readScreen } from "./screen.ts";
import { openSteps, stepEnd } from "./steps.ts";
import { clearKeys, folds, pastes, typeable } from "./typing.ts";

/** From 0.150 on its help tells what it can do, and its rollout appears at the first turn. */
function isModern(version: string | null): boolean {
  const [major, minor] = versionNumbers(version);
  return major > 0 || minor >= 150;
}

/**
 * A prompt must stay one: what looks like a flag, or is one word and may be a command of Codex's, stands behind `--`; what its composer
 * would run (`!`, `/`: 0.171.0 runs the former from its arguments, too) has a blank in front.
 */
function promptWords(prompt: string | null): string[] {
  if (prompt === null) return [];
  return [...(/^-|^\s*\S+\s*$/.test(prompt) ? ["--"] : []), /^[!/]/.test(prompt) ? ` ${prompt}` : prompt];
}

/** Model and effort in words that begin with a dash or hold a `=`, so that neither can be taken for a command of Codex's. */
const modelWords = ({ model, effort }: Partial<ModelChoice>): string[] => [
  ...(model == null ? [] : [`--model=${model}`]),
  ...(effort == null ? [] : ["-c", `model_reasoning_effort=${JSON.stringify(effort)}`]),
];

const SANDBOXES = ["read-only", "workspace-write", "danger-full-access"];
/** The first two are those of older releases. */
const APPROVALS = ["untrusted", "on-failure", "on-request", "never"];

function checkPermissions({ sandbox, approval, permissionMode }: PermissionChoice): void {
  const among = (flag: string, value: string, all: readonly string[]): void => {
    if (!all.includes(value))
      throw new Failure(`Codex knows no ${flag} ${JSON.stringify(value)}`, { hint: `${flag} takes ${all.join(", ")}` });
  };
  if (permissionMode !== null)
    throw new Failure("Codex has no permission modes", { hint: "say it with --sandbox MODE and --ask-for-approval POLICY" });
  among("--sandbox", sandbox, SANDBOXES);
  among("--ask-for-approval", approval, APPROVALS);
}

const permissionWords = ({ sandbox, approval }: LaunchChoice): string[] => ["--sandbox", sandbox, "--ask-for-approval", approval];

/** Flags that a session with a server of its own takes like any other, with a value or without (0.169.0, 0.171.0). */
const SERVED_FLAGS: Readonly<Record<string, "value" | "alone">> = {
  "--sandbox": "value",
  "-s": "value",
  "--ask-for-approval": "value",
  "-a": "value",
  "--model": "value",
  "-m": "value",
  "--yolo": "alone",
  "--dangerously-bypass-approvals-and-sandbox": "alone",
  "--dangerously-bypass-hook-trust": "alone",
  "--no-alt-screen": "alone",
};

/** The sandbox that these flags choose, null for none; a text: which of them a session with a server of its own may not take. */
function servedFlags(flags: readonly string[]): { readonly sandbox: string | null } | string {
  let sandbox: string | null = null;
  for (let at = 0; at < flags.length; at += 1) {
    const [, name = flags[at]!, own] = /^(--[^=]+)=(.*)$/s.exec(flags[at]!) ?? [];
    const takes = SERVED_FLAGS[name];
    if (takes === undefined || (takes === "alone" && own !== undefined)) return flags[at]!;
    const value = takes === "alone" ? undefined : (own ?? flags[(at += 1)]);
    if (name === "--sandbox" || name === "-s") sandbox = value ?? null;
    if (name === "--yolo" || name === "--dangerously-bypass-approvals-and-sandbox") sandbox = "danger-full-access";
  }
  return { sandbox };
}

/** The socket of a server that we started for one session alone. */
const OWN = /^unix:\/\/.*\/artifacts\/served\/[^/]+\/socket$/;

const NOTHING: TranscriptMemory = Object.freeze({});

const TURN = /"type"\s*:\s*"(?:task_started|task_complete|turn_aborted)"/;

/** Below some home, which may be anywhere: in the folder of a day, or in the archive; packed when it is old. */
const ROLLOUT = /^(.*)\/(?:sessions\/(?:[^/]+\/)*|archived_sessions\/)rollout-[^/]*\.jsonl(?:\.zst)?$/;

/**
 * A configuration file that, with the agent's own default model, makes the real Codex talk to a Responses API of ours and ask nobody
 * anything.
 */
function codexConfig(options: Parameters<Agent["scripted"]>[0]): string {
  return [
    'model_provider = "scripted"',
    "check_for_update_on_startup = false",
    "",
    "[analytics]",
    "enabled = false",
    "",
    // Otherwise each start fetches a list of plugins from GitHub, by git.
    "[features]",
    "plugins = false",
    "",
    "[model_providers.scripted]",
    'name = "scripted"',
    `base_url = ${JSON.stringify(options.modelUrl)}`,
    'wire_api = "responses"',
    "requires_openai_auth = false",
    "supports_websockets = false",
    ...options.trustedFolders.flatMap((folder) => ["", `[projects.${JSON.stringify(folder)}]`, 'trust_level = "trusted"']),
    "",
  ].join("\n");
}

export const codex: Agent = {
  key: "codex",
  label: "Codex",
  program: "codex",
  tmuxPrefix: "codex-",
  install: "npm install --global @openai/codex",
  // The tests run the first and the last of these.
  tested: { from: "0.169.0", to: "0.171.0" },
  home: { variable: "CODEX_HOME", folder: ".codex" },
  passOn: ["CODEX_HOME"],
  selfVariable: "CODEX_THREAD_ID",
  inside: ["CODEX_THREAD_ID"],
  standbyPrompt:
    "You are on standby as a supervised worker. Change nothing and run " +
    "nothing. Answer with the one word ready, then wait for instructions.",
  efforts: ["none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra"],
  isSessionId: (text) => /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text),
  permissionModes: null,
  checkPermissions,
  confined: ({ sandbox }) => sandbox !== "danger-full-access",
  launchArguments: (choice, features) => [
    ...(features.noDaemon ? ["--no-daemon"] : []),
    ...permissionWords(choice),
    ...modelWords(choice),
    ...promptWords(choice.prompt),
  ],
  plainArguments: ({ cwd, flags, prompt, ...choice }, features) => [
    ...(features.noDaemon ? ["--no-daemon"] : []),
    "--cd",
    cwd,
    "--no-alt-screen",
    ...modelWords(choice),
    ...flags,
    ...promptWords(prompt),
  ],
  // 0.171.0 takes the flags in front of `resume` for the session that it goes on with; without --no-daemon a daemon writes it, if anybody.
  resumeArguments: (sessionId, features, started) => {
    const flags = started?.slice(1) ?? [];
    return [...(features.noDaemon && !flags.includes("--no-daemon") ? ["--no-daemon"] : []), ...flags, "resume", sessionId];
  },
  features: (version, help) => ({
    version,
    noDaemon: /(^|\s)--no-daemon\b/.test(help),
    lateRollout: isModern(version),
    queue: /^\s+queue\s/m.test(help),
    // The program that draws it takes a socket, and the server, on its own page, listens on one of ours.
    served: /(^|\s)--remote\b/.test(help) && /^\s+--listen\b[^-]*unix:\/\/PATH/m.test(help),
    sessionId: false,
  }),
  helpPages: (version) => (isModern(version) ? [["--help"], ["app-server", "--help"]] : []),
  capabilities: (features) => ({
    proof: true,
    push: true,
    protocol: features.served,
    queue: features.queue,
    steer: features.served,
    interrupt: true,
    answer: features.served,
    resume: true,
    model: true,
    effort: true,
    limits: true,
    tokens: true,
    headless: false,
  }),
  stumbled: (lastWords) => lastWords.includes("timed out discarding buffered terminal input"),
  transcript: {
    name: "rollout",
    isPath: (path) => ROLLOUT.test(path),
    homeOf: (path) => ROLLOUT.exec(path)?.[1] ?? null,
    head: parseRolloutMeta,
    // Each line is a record, and none needs another.
    remember: () => NOTHING,
    translate(line) {
      const record = parseRecord(line);
      return record && [record];
    },
    recordName,
    isKnown,
    wakes: (line) => TURN.test(line),
    mayProve: (line) => line.includes("user_message") || line.includes("UserMessage"),
    mayAbort: (line) => line.includes('"turn_aborted"'),
    openSteps,
    stepEnd,
  },
  screen: {
    cursorShown: true,
    read: readScreen,
    describe: screenWords("Codex"),
    startup: startupVerdict,
    waitOf,
  },
  keys: {
    interrupt: "Escape",
    enqueue: null,
    clear: clearKeys,
    slash: { compact: "/compact", clear: "/clear" },
    typeable,
    pastes,
    folds,
  },
  served: {
    transport: "codex_protocol",
    server: (socket) => ["app-server", "--listen", `unix://${socket}`],
    // Without a folder of its own it would not ask whether to trust this one, and run read-only (0.171.0).
    client: (choice, socket) => [
      "--remote",
      `unix://${socket}`,
      "--cd",
      choice.cwd,
      ...permissionWords(choice),
      ...modelWords(choice),
      ...promptWords(choice.prompt),
    ],
    // With permissions of its own it refuses to go on with a conversation (0.169.0, 0.171.0).
    resumed: (sessionId, cwd, socket) => ["resume", "--remote", `unix://${socket}`, "--cd", cwd, sessionId],
    plainClient: ({ cwd, flags, prompt, ...choice }, socket) => {
      const known = servedFlags(flags);
      if (typeof known === "string") return known;
      const words = ["--remote", `unix://${socket}`, "--cd", cwd, "--no-alt-screen", ...modelWords(choice), ...flags];
      return { words: [...words, ...promptWords(prompt)], sandbox: known.sandbox };
    },
    draws: (words, sockets) =>
      words.some((word, index) => {
        const remote = word === "--remote" ? words[index + 1] : /^--remote=(.*)$/s.exec(word)?.[1];
        return sockets.some((path) => remote === `unix://${path}`);
      }),
  },
  queue: { transport: "codex_queue", colleague: false },
  isExecutable: (path) => /(^|\/)codex(-(x86_64|aarch64)-[a-z0-9_-]+)?$/.test(path),
  // Settings (`-c key=value`) may stand before it.
  // One that listens on a socket of ours serves one session.
  isSharedServer: (words) =>
    words.slice(1).find((word) => !word.startsWith("-") && !word.includes("=")) === "app-server" && !words.some((word) => OWN.test(word)),
  steering: /^CODEX_/,
  scripted: (options) => ({ files: [{ file: "config.toml", text: codexConfig(options) }], environment: {} }),
};
