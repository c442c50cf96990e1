/**
 * The port of an agent, its pure half: all that is peculiar to the program that a session runs, as data and decisions. The machine half
 * (where its files are, who writes them, its queue) stands in `system/agent/agents.ts`, its own index in `store/agent-index.ts`; all three
 * have one entry per agent, and only they import from an agent's folder.
 */
import type { AgentRecord } from "./record.ts";
import type { KeysPort, ScreenPort } from "./terminal.ts";
import type { VersionRange } from "./version.ts";

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
  /** A server of its own can be started for a session, and drawn by a second process. */
  readonly served: boolean;
  /** A new session takes an id that we choose, by which it is known from the start. */
  readonly sessionId: boolean;
}

/** What can be done with a session of the agent; what only one agent can do is asked here, not by its name. */
export interface Capabilities {
  /** An arrival can be seen in its record. */
  readonly proof: boolean;
  /** Messages reach it without its asking. */
  readonly push: boolean;
  /** It is spoken to by a protocol of its own, without a terminal. */
  readonly protocol: boolean;
  /** Messages can be put into a queue of its own. */
  readonly queue: boolean;
  /** Words can be put into a turn that runs. */
  readonly steer: boolean;
  readonly interrupt: boolean;
  /** What it asks can be answered without a person at its terminal. */
  readonly answer: boolean;
  /** A session that has ended can be gone on with. */
  readonly resume: boolean;
  readonly model: boolean;
  readonly effort: boolean;
  /** How much of its account's limits is used is told. */
  readonly limits: boolean;
  readonly tokens: boolean;
  /** It runs without a terminal. */
  readonly headless: boolean;
}

/** Which model is to think, and how hard; null: as the agent is set up. */
export interface ModelChoice {
  readonly model: string | null;
  readonly effort: string | null;
}

/** What a session may do without asking: in Codex's two words, or in one of the agent's own, which wins. */
export interface PermissionChoice {
  readonly sandbox: string;
  readonly approval: string;
  readonly permissionMode: string | null;
}

export interface LaunchChoice extends Partial<ModelChoice>, PermissionChoice {
  /** First words to the agent; null for none. */
  readonly prompt: string | null;
  /** The id that the session is to have; null: one of its own choice. */
  readonly sessionId: string | null;
}

export interface PlainChoice extends Partial<ModelChoice> {
  readonly cwd: string;
  /** Passed on as they are. */
  readonly flags: readonly string[];
  readonly prompt: string | null;
}

/** The first record of a transcript: which session it is, where, since when. */
export interface TranscriptHead {
  /** The session's id. */
  readonly id: string;
  readonly cwd: string | null;
  /** When the session began, as written. */
  readonly timestamp: string | null;
  readonly originator: string | null;
  readonly cliVersion: string | null;
  /** Led by a person or by us; false for a helper that the agent started for itself. */
  readonly conversation: boolean;
}

/** What the lines of a transcript that were read say for those that follow, in a form of the agent's own. */
export type TranscriptMemory = object;

/**
 * How a step that the agent had asked about ended. `done`: it was let do it, however it went; `declined`: it was not; `cut off`: its turn
 * was broken off, whether it had begun or not; `answered`: it was a question, and these words were the answer.
 */
export type StepEnd = { readonly kind: "done" | "declined" | "cut off" } | { readonly kind: "answered"; readonly words: readonly string[] };

/** A step that was begun and has not ended. */
export interface OpenStep {
  readonly id: string;
  /** What would be run, or the file that would be written; null: nothing of that kind. */
  readonly subject: string | null;
}

/** What the agent writes about a session: a file of lines. */
export interface TranscriptPort {
  /** What the file is called, for a person. */
  readonly name: string;
  /** Whether a path looks like one, wherever it lies. */
  isPath(path: string): boolean;
  /** The agent's home that it lies in, which need not be the one of this environment; null when its path is of another form. */
  homeOf(path: string): string | null;
  /** Reads the first line; a text instead of a record says what is wrong with it. */
  head(line: string): TranscriptHead | string;
  /**
   * What later lines are read by, from the records of the lines before them.
   * @param newest the stored records of this transcript, newest first; read only as far as is needed
   */
  remember(newest: Iterable<AgentRecord>): TranscriptMemory;
  /**
   * The records that are stored of one line, in order, which may be none; null for anything that is no record: broken or blank text, no
   * object, no type.
   * @param memory of the lines before this one; it takes this one in
   */
  translate(line: string, memory: TranscriptMemory): readonly AgentRecord[] | null;
  /** Name of a record for a report on records that no rule knows. */
  recordName(record: AgentRecord): string;
  /** Whether some rule of this version has heard of records of this kind. */
  isKnown(record: AgentRecord): boolean;
  /** Whether a line may begin or end a turn: one that is worth waking up for. Told without reading it whole. */
  wakes(line: string): boolean;
  /** Whether a line may hold what was said to the agent: most are long and hold something else, and are not parsed. */
  mayProve(line: string): boolean;
  /** Whether a line may tell of an interruption. */
  mayAbort(line: string): boolean;
  /**
   * The steps of the newest turn that were begun and of whose end nothing is told, oldest first; none where only a protocol names them.
   * @param newest the stored records of this transcript, newest first; read only as far as is needed
   */
  openSteps(newest: Iterable<AgentRecord>): readonly OpenStep[];
  /** What a record tells of the step with this id, by which its protocol or its transcript named it; null: nothing. */
  stepEnd(record: AgentRecord, stepId: string): StepEnd | null;
}

/** The words that start the two halves of a session which is spoken to by protocol. */
export interface ServedWords {
  /** As a way of delivery. */
  readonly transport: "codex_protocol";
  /** Arguments of the server that listens on this socket. */
  server(socket: string): string[];
  /** Arguments of the program that draws it. */
  client(choice: LaunchChoice & { readonly cwd: string }, socket: string): string[];
  /** The same for a conversation that the server has taken up: it has its permissions and model from there. */
  resumed(sessionId: string, cwd: string, socket: string): string[];
  /**
   * The same for a session that nobody supervises yet, and the sandbox that its flags choose; null: as the agent is set up. A text names a
   * flag that is not known to go with a server.
   */
  plainClient(choice: PlainChoice, socket: string): { readonly words: string[]; readonly sandbox: string | null } | string;
  /** Whether a process with these words draws what the server at one of these paths has. */
  draws(words: readonly string[], sockets: readonly string[]): boolean;
}

/** A queue of the agent's own, into which messages are put without a key. */
export interface QueueWords {
  /** As a way of delivery. */
  readonly transport: "codex_queue" | "claude_inbox";
  /**
   * It is emptied at once, also in mid-turn, so it comes before any key; but what stands there is a colleague's word to the agent and not
   * its user's. False: it is emptied when the session rests, and only where no key may be pressed.
   */
  readonly colleague: boolean;
}

/** What makes the agent talk to a model of ours and ask nobody anything. */
export interface ScriptedSetup {
  /** Its settings, by their names below its home. */
  readonly files: readonly { readonly file: string; readonly text: string }[];
  /** What its sessions have in their environment besides. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface Agent {
  /** As it is written on record and after `--agent`. */
  readonly key: string;
  readonly label: string;
  /** Name of its executable on PATH, and of its process. */
  readonly program: string;
  /** What the tmux session of one of its sessions is called, in front of the session's name. */
  readonly tmuxPrefix: string;
  /** The command that installs it. */
  readonly install: string;
  /** The versions that the tests know. */
  readonly tested: VersionRange;
  /** Where it keeps its things: what this variable names, else this folder below the user's home. */
  readonly home: { readonly variable: string; readonly folder: string };
  /** Variables that a started session is given as they are here. */
  readonly passOn: readonly string[];
  /** The variable that names the session to the commands which run in it. */
  readonly selfVariable: string;
  /** All variables that it sets for them: another session that such a command starts is none of its own. */
  readonly inside: readonly string[];
  /** First words for a worker that nobody gave a task: enough to make its session known. */
  readonly standbyPrompt: string;
  /** How hard its models can be told to think. */
  readonly efforts: readonly string[];
  /** Only such texts are ids of its sessions; nothing else is ever made part of a path. */
  isSessionId(text: string): boolean;
  /** Its own words for what a session may do; null: it has none besides sandbox and approval. */
  readonly permissionModes: readonly string[] | null;
  /**
   * Refuses before anything is started.
   * @param here the environment of the start, and whether it is root's
   * @throws Failure saying what it can take, or why not here
   */
  checkPermissions(
    choice: PermissionChoice,
    here: { readonly env: Readonly<Record<string, string | undefined>>; readonly root: boolean },
  ): void;
  /** Whether what it runs may do less than its user, so that a git folder outside its own folder is closed to it. Never throws. */
  confined(choice: PermissionChoice): boolean;
  /** Its arguments for a supervised session. */
  launchArguments(choice: LaunchChoice, features: AgentFeatures): string[];
  /** Its arguments for a session that nobody supervises yet. */
  plainArguments(choice: PlainChoice, features: AgentFeatures): string[];
  /**
   * Its arguments to go on with a session that has ended.
   * @param started the words of its start, program first and without a prompt, when they are on record: it goes on as it was begun
   */
  resumeArguments(sessionId: string, features: AgentFeatures, started: readonly string[] | null): string[];
  /** What the features are when it calls itself by this version and, for newer ones, prints this help, page after page. */
  features(version: string | null, help: string): AgentFeatures;
  /** The words that print the pages of help which have to be read to know the features of this version; [] for none. */
  helpPages(version: string | null): readonly (readonly string[])[];
  capabilities(features: AgentFeatures): Capabilities;
  /** Whether these last words of a start say that it failed by bad timing alone: on a busy machine the next one comes up. */
  stumbled(lastWords: string): boolean;
  readonly transcript: TranscriptPort;
  readonly screen: ScreenPort;
  readonly keys: KeysPort;
  /** How a session is started that is spoken to by protocol; null when there is none. */
  readonly served: ServedWords | null;
  /** Its own queue as a way of delivery; null when it has none. */
  readonly queue: QueueWords | null;
  /** Whether a process whose program file is `path` is the agent itself, not a script or shell of that name. */
  isExecutable(path: string): boolean;
  /** Whether a process of the agent with these words (its program first) serves several sessions at once. */
  isSharedServer(words: readonly string[]): boolean;
  /** Variables that steer it, and not for what is to be as everybody's: a world of its own is made without them. */
  readonly steering: RegExp;
  /**
   * How it is set up for demonstrations and tests.
   * @param options.home its home, below which it keeps everything then
   */
  scripted(options: { readonly home: string; readonly modelUrl: string; readonly trustedFolders: readonly string[] }): ScriptedSetup;
}
