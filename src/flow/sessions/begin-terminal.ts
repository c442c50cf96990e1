/** The terminal of a start: what it is called, what runs in it, and how it is begun: on record before it exists. */
import { join } from "node:path";
import type { Context } from "../../context.ts";
import type { Agent, ModelChoice, PermissionChoice } from "../../core/agent/agent.ts";
import { allAgents } from "../../core/agent/agents.ts";
import { Failure } from "../../core/failure.ts";
import type { Role } from "../../core/sessions/session.ts";
import { instant } from "../../core/time.ts";
import { findSession } from "../../store/sessions/sessions.ts";
import { findStart, recordStart } from "../../store/sessions/unfinished-starts.ts";
import { tx } from "../../store/store.ts";
import { writeWhole } from "../../system/files/whole-file.ts";
import { thisHolder } from "../../system/processes/holder.ts";
import { selfFolder } from "../../system/processes/self.ts";
import { newSession } from "../../system/terminal/sessions.ts";
import { nextCommand } from "../reach/next-command.ts";
import type { Scene } from "../scene.ts";
import type { BegunTerminal, Undertaking } from "./undertaking.ts";
import type { LaunchWish } from "./way-of-launch.ts";
import { leftBehind, promptDigest, requestDigest, takeUp } from "./unfinished.ts";

export interface Launch extends ModelChoice, PermissionChoice {
  readonly agent: Agent;
  readonly role: Role;
  /** Name of the session on record; its tmux session is `codex-NAME`. */
  readonly name: string;
  /** Absolute. */
  readonly cwd: string;
  /** It is only made once nothing is refused. */
  readonly cwdToCome?: boolean;
  /** First words; null for none. */
  readonly prompt: string | null;
  /** Answer a folder-trust page that was recognised. */
  readonly acceptTrust: boolean;
  readonly timeoutSeconds: number;
  /** The bindings in which the session may stand already, when the same start was cut off after they were made. */
  readonly bindings: readonly string[];
  readonly wish: LaunchWish;
  /** The thread to go on with, without first words; null: a new one. */
  readonly resume: string | null;
  /**
   * Nothing is said of what it may do: nobody knows that of a session which ran already when it was registered, and which goes on in its
   * terminal as its agent is set up.
   */
  readonly asSetUp: boolean;
}

/** A launch, and the undertaking that it is part of. */
export interface LaunchScene extends Scene {
  readonly under: Undertaking;
}

export const tmuxNameOf = (agent: Agent, name: string): string => `${agent.tmuxPrefix}${name}`;

/** The server of tmux may have been started by a command in some session, and would hand that one's marks on to all others. */
export const noMarks = (): Record<string, string> =>
  Object.fromEntries(allAgents.flatMap(({ inside }) => inside.map((name) => [name, ""])));

/** What the session must know to reach the same records and programs as this command. */
export function sessionEnvironment(cx: Context, agent: Agent): Record<string, string> {
  const folder = selfFolder();
  const path = cx.env.PATH ?? "";
  const names = folder === null || path.split(":").includes(folder) ? path : `${path}:${folder}`;
  const passed = agent.passOn.flatMap((name) => (cx.env[name] ? [[name, cx.env[name]] as const] : []));
  return { PATH: names, WORKERCTL_STATE_ROOT: cx.stateRoot, ...Object.fromEntries(passed) };
}

/** @throws Failure when the prompt is longer than one argument of a program may be */
export function needShortPrompt(prompt: string | null): void {
  if (prompt === null || Buffer.byteLength(prompt) <= 100_000) return;
  throw new Failure("the first prompt holds more than 100000 bytes", {
    hint: "put the text into a file of the project and name the file in the prompt",
  });
}

/** The terminal of the start: a new one, on record before it exists, or that of a start which was cut off. */
export async function beginTerminal(
  scene: LaunchScene,
  request: Launch,
  argv: string[],
  hasPrompt: boolean,
): Promise<{ terminal: BegunTerminal; launchedAt: number; pane: { paneId: string; pid: number }; isNew: boolean }> {
  const { cx, store, under } = scene;
  const { agent, name, role } = request;
  const known = findStart(store, name);
  const left = await leftBehind(scene, known, request);
  const ending = nextCommand(cx, store, "stop", name);
  under.recordsIn(store);
  if (left !== null && left.session === null) {
    const { start, pane } = left;
    under.check();
    await takeUp(scene, start);
    const terminal = under.begins({ name, tmuxSession: pane.session, mark: start.mark, ending });
    terminal.seen = { paneId: pane.paneId, pid: pane.pid, at: cx.now() };
    return { terminal, launchedAt: instant(start.began_at)!, pane, isNew: false };
  }
  const tmuxSession = tmuxNameOf(agent, name);
  const began_at = cx.now();
  const start = {
    name,
    // That of the start before: the tmux that it called may be slower than its end was, and is then not unknown either.
    mark: known?.mark ?? cx.newId("start"),
    role,
    tmux_session: tmuxSession,
    request_sha256: requestDigest(request),
    prompt_sha256: promptDigest(request.prompt),
    began_at,
    session_id: null,
    holder: await thisHolder(cx.env),
  };
  under.check();
  // Two that found it gone at the same moment: the first may have come to its end by now.
  if (!tx(store, () => findSession(store, name)?.state !== "active" && recordStart(store, start, known)))
    throw new Failure(`session ${JSON.stringify(name)} is being started by somebody else`, { hint: nextCommand(cx, store, "reconcile") });
  const terminal = under.begins({ name, tmuxSession, mark: start.mark, ending });
  const pane = await newSession(cx.env, {
    name: tmuxSession,
    cwd: request.cwd,
    argv: promptByFile(scene, name, argv, hasPrompt),
    environment: { ...noMarks(), ...sessionEnvironment(cx, agent) },
    keepDead: true,
    mark: start.mark,
  });
  terminal.seen = { ...pane, at: cx.now() };
  return { terminal, launchedAt: instant(began_at)!, pane, isNew: true };
}

/** tmux takes 16 kB of arguments: a longer prompt, the last word, travels by a file that is read and removed in front of the agent. */
function promptByFile({ cx, under }: LaunchScene, name: string, argv: string[], hasPrompt: boolean): string[] {
  const prompt = argv.at(-1) ?? "";
  if (!hasPrompt || Buffer.byteLength(argv.join(" ")) < 10_000) return argv;
  const file = join(cx.stateRoot, "artifacts", "launch-prompts", `${name}-${cx.newId("prompt")}.txt`);
  under.leavesFile(file);
  writeWhole(file, prompt);
  return ["/bin/sh", "-c", 'p=$(cat -- "$1"); rm -f -- "$1"; shift; exec "$@" "$p"', "sh", file, ...argv.slice(0, -1)];
}
