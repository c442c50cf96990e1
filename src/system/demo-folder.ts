/** The private world of the demonstration: a home for each agent, a small git project, a tmux server, and this program on PATH. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Agent } from "../core/agent/agent.ts";
import { allAgents } from "../core/agent/agents.ts";
import { quoteCommand, quoteWord } from "../core/shell.ts";
import { childEnv, type Env } from "./processes/environment.ts";
import { runProgram } from "./processes/run.ts";
import { isFolder, realPath } from "./files/folders.ts";
import { environmentOf, listProcesses } from "./processes/processes.ts";
import { selfArgv } from "./processes/self.ts";
import { DATABASE } from "./records-place.ts";

export interface DemoFolder {
  readonly root: string;
  readonly project: string;
  /** Where each agent keeps its things. */
  readonly homes: readonly { readonly agent: Agent; readonly path: string }[];
  readonly database: string;
  /** What everything in it runs with. */
  readonly env: Record<string, string>;
}

/** What the project holds, by name, and the words of its first commit. */
export interface DemoProject {
  readonly files: Readonly<Record<string, string>>;
  readonly commit: string;
  /** Folders besides the project in which agents are started, below the state root. */
  readonly below: readonly string[];
}

const GREET = 'echo "Hello!"\n';
const CHECK = `test "$(sh greet.sh Ada)" = "Hello, Ada!" || { echo "no greeting for Ada"; exit 1; }
test "$(sh greet.sh)" = "Hello, world!" || { echo "no greeting for the world"; exit 1; }
echo "all greetings are right"
`;

/** A greeting that does not greet by name. */
export const GREETING: DemoProject = {
  files: { "greet.sh": GREET, "check.sh": CHECK },
  commit: "A greeting that does not greet by name",
  below: [],
};

/** An agent, and where the model answers that it is to talk to. */
export interface DemoAgent {
  readonly agent: Agent;
  readonly modelUrl: string;
}

/** Makes the folders and files. @param agents each once */
export async function makeDemoFolder(env: Env, agents: readonly DemoAgent[], { files, commit, below }: DemoProject): Promise<DemoFolder> {
  // A short path: the name of a tmux socket may hold about a hundred characters.
  const root = realPath(mkdtempSync(join(isFolder("/tmp") ? "/tmp" : tmpdir(), "conveyor-demo-")));
  const folder = (name: string) => {
    mkdirSync(join(root, name));
    return join(root, name);
  };
  const [project, stateRoot, bin, tmux, home] = ["project", "state", "bin", "tmux", "home"].map(folder) as [
    string,
    string,
    string,
    string,
    string,
  ];
  for (const name of ["conveyor", "workerctl"]) {
    writeFileSync(join(bin, name), `#!/bin/sh\nexec ${quoteCommand(selfArgv())} "$@"\n`);
    chmodSync(join(bin, name), 0o755);
  }
  // Agents run commands in a login shell, or as one leaves the environment, and that sets PATH anew.
  for (const name of [".profile", ".zprofile"]) writeFileSync(join(home, name), `PATH=${quoteWord(bin)}:$PATH\nexport PATH\n`);
  mkdirSync(join(home, ".config", "fish"), { recursive: true });
  writeFileSync(join(home, ".config", "fish", "config.fish"), `set -gx PATH ${quoteWord(bin)} $PATH\n`);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text);
  const own = childEnv(env);
  for (const name of Object.keys(own))
    if (/^(TMUX|CONVEYOR_|WORKERCTL_)/.test(name) || allAgents.some(({ steering }) => steering.test(name))) delete own[name];
  Object.assign(own, { PATH: `${bin}:${env.PATH ?? ""}`, HOME: home, WORKERCTL_STATE_ROOT: stateRoot, TMUX_TMPDIR: tmux });
  const trustedFolders = [project, ...below.map((name) => join(stateRoot, name))];
  const homes = agents.map(({ agent, modelUrl }) => {
    const path = folder(agent.key);
    const { files: settings, environment } = agent.scripted({ home: path, modelUrl, trustedFolders });
    for (const { file, text } of settings) writeFileSync(join(path, file), text);
    Object.assign(own, environment, { [agent.home.variable]: path });
    return { agent, path };
  });
  for (const words of [
    ["-c", "init.defaultBranch=main", "init", "-q"],
    ["add", "."],
    ["-c", "user.name=demo", "-c", "user.email=demo@localhost", "commit", "-q", "-m", commit],
  ]) {
    await runProgram(["git", ...words], { env: own, cwd: project });
  }
  return { root, project, homes, database: join(stateRoot, DATABASE), env: own };
}

/** Processes that live in this world: whose environment names a home in it. On systems that do not show environments, none. */
export const demoProcesses = async (folder: DemoFolder): Promise<number[]> =>
  ((await listProcesses(folder.env)) ?? []).flatMap(({ pid }) =>
    folder.homes.some(({ agent, path }) => environmentOf(pid, agent.home.variable) === path) ? [pid] : [],
  );

export const removeDemoFolder = (folder: DemoFolder): void => rmSync(folder.root, { recursive: true, force: true });
