/** What is peculiar to the program that a session runs: one record, so that a second one can stand beside Codex. */
import { readScreen, type Screen, screenWords } from "../codex/screen.ts";

/** What this installation of the agent can do, asked of itself. */
export interface AgentFeatures {
  /** As it names itself, for instance `0.169.0`; null when it did not say. */
  readonly version: string | null;
  /** Can be started apart from its shared daemon, so that the process in the pane owns its thread. */
  readonly noDaemon: boolean;
  /** Its rollout appears only at the first turn: a session cannot be registered before it was told something. */
  readonly lateRollout: boolean;
  /** Messages can be put into the queue of a live thread. */
  readonly queue: boolean;
}

export interface LaunchChoice {
  readonly sandbox: string;
  readonly approval: string;
  /** First words to the agent; null for none. */
  readonly prompt: string | null;
}

export interface Agent {
  readonly label: string;
  /** Name of its executable on PATH, and of its process. */
  readonly program: string;
  /** The key that interrupts its turn and does no harm when it is idle. */
  readonly interruptKey: string;
  /** First words for a worker that nobody gave a task: enough to make its session known. */
  readonly standbyPrompt: string;
  /** Its arguments for a supervised session. */
  launchArguments(choice: LaunchChoice, features: AgentFeatures): string[];
  /** Its arguments for a session that nobody supervises yet; `flags` are passed on as they are. */
  plainArguments(
    choice: { readonly cwd: string; readonly flags: readonly string[]; readonly prompt: string | null },
    features: AgentFeatures,
  ): string[];
  /** What the features are when it calls itself by this version and, for newer ones, prints this help. */
  features(version: string | null, help: string): AgentFeatures;
  /** Whether its help has to be read to know the features of this version. */
  needsHelp(version: string | null): boolean;
  /** Whether these last words of a start say that it failed by bad timing alone: on a busy machine the next one comes up. */
  stumbled(lastWords: string): boolean;
  readScreen(capture: string, mode: string | null): Screen;
  /** The page in front, in words. */
  describe(screen: Screen): string;
  /** Whether a process whose program file is `path` is the agent itself, not a script or shell of that name. */
  isExecutable(path: string): boolean;
  /** Whether a process of the agent with these words (its program first) serves several sessions at once. */
  isSharedServer(words: readonly string[]): boolean;
}

/** Major and minor number of `codex-cli 0.169.0`. */
const versionNumber = (version: string | null): readonly [number, number] => {
  const match = /(\d+)\.(\d+)/.exec(version ?? "");
  return [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)];
};
const isModern = (version: string | null): boolean => {
  const [major, minor] = versionNumber(version);
  return major > 0 || minor >= 150;
};

/** A prompt that looks like a flag must stay a prompt. */
const promptWords = (prompt: string | null): string[] => (prompt === null ? [] : prompt.startsWith("-") ? ["--", prompt] : [prompt]);

export const codex: Agent = {
  label: "Codex",
  program: "codex",
  interruptKey: "Escape",
  standbyPrompt:
    "You are on standby as a supervised worker. Change nothing and run " +
    "nothing. Answer with the one word ready, then wait for instructions.",
  launchArguments: ({ sandbox, approval, prompt }, features) => [
    ...(features.noDaemon ? ["--no-daemon"] : []),
    "--sandbox",
    sandbox,
    "--ask-for-approval",
    approval,
    ...promptWords(prompt),
  ],
  plainArguments: ({ cwd, flags, prompt }, features) => [
    ...(features.noDaemon ? ["--no-daemon"] : []),
    "--cd",
    cwd,
    "--no-alt-screen",
    ...flags,
    ...promptWords(prompt),
  ],
  features: (version, help) => ({
    version,
    noDaemon: /(^|\s)--no-daemon\b/.test(help),
    lateRollout: isModern(version),
    queue: /^\s+queue\s/m.test(help),
  }),
  needsHelp: isModern,
  stumbled: (lastWords) => lastWords.includes("timed out discarding buffered terminal input"),
  readScreen,
  describe: screenWords,
  isExecutable: (path) => /(^|\/)codex(-(x86_64|aarch64)-[a-z0-9_-]+)?$/.test(path),
  // Settings (`-c key=value`) may stand before it.
  isSharedServer: (words) => words.slice(1).find((word) => !word.startsWith("-") && !word.includes("=")) === "app-server",
};
