/** Starts an agent in a tmux session of its own and waits until its thread is known. */
import type { Context } from "../../context.ts";
import type { Agent, AgentFeatures, ModelChoice } from "../../core/agent/agent.ts";
import { checkModelChoice } from "../../core/agent/agents.ts";
import type { Screen } from "../../core/agent/screen.ts";
import { Failure } from "../../core/failure.ts";
import { needPlainName, type Session, type StartFacts } from "../../core/sessions/session.ts";
import { quoteWord } from "../../core/shell.ts";
import { findSession, threadIsRegistered } from "../../store/sessions/sessions.ts";
import { findStart } from "../../store/sessions/unfinished-starts.ts";
import { homeOfAgent, machineOf } from "../../system/agent/agents.ts";
import { type InstalledAgent, installedAgent, needAgent } from "../../system/agent/cli.ts";
import { isFolder } from "../../system/files/folders.ts";
import { runsAsRoot } from "../../system/processes/processes.ts";
import { capturePane, listPanes, type Pane } from "../../system/terminal/panes.ts";
import { hasSession, keepDeadPane } from "../../system/terminal/sessions.ts";
import { needTmux } from "../../system/terminal/tmux.ts";
import { endTerminal, lookAtTerminal } from "../reach/end-terminal.ts";
import { nextCommand } from "../reach/next-command.ts";
import { pressAnswer } from "../reach/pane.ts";
import { beginTerminal, type Launch, type LaunchScene, needShortPrompt, tmuxNameOf } from "./begin-terminal.ts";
import { conversationAt, transcriptMeant } from "./identify.ts";
import { type LocatedThread, locate } from "./locate.ts";
import type { Scene } from "../scene.ts";
import { leftBehind } from "./unfinished.ts";
import { GREET_MS } from "./served-place.ts";
import { filesOf, isDecided, outcomeOf, stillDecides, wayOfLaunch } from "./way-of-launch.ts";

export interface LaunchedThread extends LocatedThread {
  readonly tmuxSession: string;
  readonly paneId: string;
  /** Of the start that it came from. */
  readonly mark: string;
  /** What it was started with, for the record; null: as it is set up, which tells nothing of how it began. */
  readonly started: StartFacts | null;
}

/** What the machine, or the agent as it is, cannot take. @throws Failure that says so */
export function checkChoice(cx: Context, launch: Omit<Launch, "prompt">): void {
  const { agent, name, cwd } = launch;
  needPlainName(name);
  checkModelChoice(agent, launch);
  if (!launch.asSetUp) agent.checkPermissions(launch, { root: runsAsRoot(), env: cx.env });
  needTmux(cx.env);
  needAgent(agent, cx.env);
  if (!launch.cwdToCome && !isFolder(cwd)) throw new Failure(`no folder at ${cwd}`);
}

/**
 * Everything that can be refused before anything is started. What a start of the same that was cut off has left is not in the way.
 * @param launch.prompt absent: not known yet
 * @returns the session that such a start has put on record already, or null
 * @throws Failure naming what is in the way
 */
export async function checkLaunch(scene: Scene, launch: Omit<Launch, "prompt"> & { prompt?: string | null }): Promise<Session | null> {
  const { cx, store } = scene;
  const { agent, name, role } = launch;
  checkChoice(cx, launch);
  const left = await leftBehind(scene, findStart(store, name), launch);
  if (left !== null && left.session !== null) return left.session;
  const known = findSession(store, name);
  if (known !== null && known.role !== role) {
    throw new Failure(`session ${JSON.stringify(name)} is registered as ${known.role}, not ${role}`, {
      hint: `choose another name: ${cx.program} sessions --state all`,
    });
  }
  if (known !== null && known.state !== "gone") {
    const giveUp =
      known.tmux_session === null ? `give this one up: ${cx.program} deregister ${name}` : `end this one: ${cx.program} stop ${name}`;
    throw new Failure(`session ${JSON.stringify(name)} is registered already`, { hint: `choose another name, or ${giveUp}` });
  }
  if (left !== null) return null;
  if (launch.resume !== null) checkThread(scene, launch, launch.resume);
  await checkTmuxFree(cx, tmuxNameOf(agent, name));
  return null;
}

/** @throws Failure when there is no such thread to go on with, somebody writes it, or another session has it on record as running */
function checkThread({ cx, store }: Scene, { agent, role, name }: Pick<Launch, "agent" | "role" | "name">, thread: string): void {
  if (!agent.isSessionId(thread)) throw new Failure(`--resume takes the id of a thread of ${agent.label}, not ${JSON.stringify(thread)}`);
  const { path } = transcriptMeant(cx, thread, [agent]);
  conversationAt(agent, path);
  const writer = machineOf(agent).writer(homeOfAgent(agent, cx.env), thread);
  if (writer?.held !== true) {
    if (!threadIsRegistered(store, thread)) return;
    throw new Failure(`thread ${thread} is on record as that of a session which runs`, { hint: nextCommand(cx, store, "reconcile") });
  }
  const who = writer.pid === null ? "a process" : `process ${writer.pid}`;
  throw new Failure(`thread ${thread} is written by ${who}: it has not ended`, {
    hint: `take it on record as it runs: ${nextCommand(cx, store, `register-${role}`, "--name", name, "--codex-session", thread)}`,
  });
}

/** @throws Failure when a tmux session of exactly this name runs */
export async function checkTmuxFree(cx: Context, session: string): Promise<void> {
  if (!(await hasSession(cx.env, session))) return;
  throw new Failure(`a tmux session ${JSON.stringify(session)} exists already`, {
    hint: `choose another name (it may be a session of another folder's records), or look at it: tmux attach -t '=${session}'`,
  });
}

/** The last words of an agent that ended before its session was known. */
interface Ended {
  readonly lastWords: string;
}

/**
 * Launches and waits until the thread is known, or goes on with what a start that was cut off has launched. Call {@link checkLaunch} first.
 * @throws Failure with a recovery line; nothing is registered then, and the tmux session is left when its program lives
 */
export async function launch(scene: LaunchScene, request: Launch): Promise<LaunchedThread> {
  const { agent, role, name } = request;
  // A start takes seconds, and a pair two of them.
  if (scene.cx.outside.tty.err) scene.cx.err(`starting ${agent.label} as ${role} ${name}, in tmux session ${tmuxNameOf(agent, name)} …`);
  const first = await attempt(scene, request);
  const last = "lastWords" in first && request.agent.stumbled(first.lastWords) ? await attempt(scene, request) : first;
  if ("lastWords" in last) throw failureOf(request, last);
  return last;
}

async function attempt(scene: LaunchScene, request: Launch): Promise<LaunchedThread | Ended> {
  const { cx, store, under } = scene;
  const { agent, cwd, sandbox, approval, model, effort } = request;
  const installed = await installedAgent(agent, cx.env);
  const { resume } = request;
  const prompt = resume !== null ? null : (request.prompt ?? (installed.features.lateRollout ? agent.standbyPrompt : null));
  needShortPrompt(prompt);
  const sessionId = installed.features.sessionId && resume === null ? cx.newId("session").slice("session-".length) : null;
  const choice = { ...request, prompt, sessionId };
  // Without what is this session's alone: its words, and the id that no second one can have.
  const said = request.asSetUp ? [] : agent.launchArguments({ ...request, prompt: null, sessionId: null }, installed.features);
  const argv = [installed.path, ...said];
  const way = wayOfLaunch(
    cx,
    {
      ...request,
      resume: resume === null ? null : { threadId: resume, cwd, sandbox, approval, model, effort },
      alone: resume === null ? agent.launchArguments(choice, installed.features) : agent.resumeArguments(resume, installed.features, argv),
      client: (served, socket) => ({
        words: resume === null ? served.client(choice, socket) : served.resumed(resume, request.cwd, socket),
        sandbox: request.sandbox,
      }),
    },
    installed,
  );
  for (const file of filesOf(way)) under.leavesFile(file);
  const begun = await beginTerminal(scene, request, way.argv, prompt !== null && way.place === null);
  const { terminal, launchedAt, pane: place } = begun;
  const { paneId, pid } = place;
  const { tmuxSession, mark } = terminal;
  // What a start that was cut off has left runs with the id that that one chose.
  const facts = { pid, cwd: request.cwd, prompt, sessionId: begun.isNew ? sessionId : null, resume, launchedAt };
  const limitMs = request.timeoutSeconds * 1000;
  let decided = isDecided(way);
  // The time is for the agent: until it is started, its pane may wait for a server in vain.
  let deadline = performance.now() + limitMs + (decided ? 0 : GREET_MS);
  const trust = new TrustAnswers(request.acceptTrust);
  for (;;) {
    const pane = (await listPanes(cx.env)).find((each) => each.paneId === paneId);
    if (pane === undefined || pane.dead) {
      const last = await ended(cx, request, pane);
      under.hasEnded(terminal);
      return last;
    }
    if (!decided && isDecided(way)) {
      decided = true;
      deadline = performance.now() + limitMs;
    }
    const location = await locate(cx, store, agent, facts);
    if (location.found !== null && !(await stillDecides(cx, pid))) {
      await keepDeadPane(cx.env, paneId, false);
      const { permissionMode: mode, sandbox, approval } = request;
      const permissions: StartFacts["permissions"] = mode === null ? { sandbox, ask_for_approval: approval } : { permission_mode: mode };
      const outcome = await outcomeOf(cx, way, pid);
      const started = request.asSetUp ? null : startFacts(cx, agent, installed, { ...request, ...outcome, argv, permissions });
      // Its server may be started anew, and the thread with it: what lives as long as the session is what the pane runs.
      return { ...location.found, ...(outcome.socket === null ? {} : { pid }), tmuxSession, paneId, mark, started };
    }
    const screen = agent.screen.read(await capturePane(cx.env, paneId, 0, true), pane.mode);
    const yes = trust.answers(screen);
    under.check();
    if (yes !== null) await pressAnswer(cx, pane, yes);
    const late = performance.now() >= deadline;
    if (trust.blocked(screen) || late) {
      await keepDeadPane(cx.env, paneId, false);
      const asks = screen.asks
        ? `; ${agent.screen.describe(screen)}${screen.dialog === null ? "" : `: ${JSON.stringify(screen.dialog.question)}`}`
        : "";
      const reason = location.found === null ? location.reason : "its server does not come up";
      const wait = late ? ` within ${request.timeoutSeconds} s` : "";
      throw new Failure(`the session of ${agent.label} in ${tmuxSession} could not be registered${wait}: ${reason}${asks}`, {
        hint: recovery(cx, request, screen, installed.features),
      });
    }
    await under.pause(150);
  }
}

/** Decides about pages that ask: a trust page is answered when allowed, anything else that stays in front ends the wait. */
class TrustAnswers {
  private seen = 0;
  private answeredAt = Number.NEGATIVE_INFINITY;
  constructor(private readonly accept: boolean) {}

  /** The keys to press now: those that mean yes on a recognised trust page, once a second; null: none. */
  answers({ accept }: Screen): readonly string[] | null {
    if (!this.accept || accept === null || performance.now() - this.answeredAt < 1000) return null;
    this.answeredAt = performance.now();
    return accept;
  }

  /** Whether a page waits for a person who is not there: seen twice in a row, so that one just passing does not count. */
  blocked(screen: Screen): boolean {
    const waits = screen.asks && !(this.accept && screen.accept !== null);
    this.seen = waits ? this.seen + 1 : 0;
    return this.seen >= 2;
  }
}

/** What a start puts on record. @param choice.argv its words without the prompt */
export const startFacts = (
  cx: Context,
  agent: Agent,
  { features }: InstalledAgent,
  choice: ModelChoice & Pick<StartFacts, "argv" | "permissions" | "launch" | "socket" | "launchWhy">,
): StartFacts => ({
  version: features.version,
  argv: choice.argv,
  home: homeOfAgent(agent, cx.env),
  model: choice.model,
  effort: choice.effort,
  permissions: choice.permissions,
  launch: choice.launch,
  socket: choice.socket,
  launchWhy: choice.launchWhy,
});

/** The program in the pane has ended: its last lines are the reason, and nothing is left running. */
async function ended(cx: Context, request: Launch, pane: Pane | undefined): Promise<Ended> {
  const text = pane === undefined ? "" : await capturePane(cx.env, pane.paneId, 50);
  if (pane !== undefined)
    await endTerminal(cx, await lookAtTerminal(cx, { name: request.name, tmuxSession: pane.session, paneId: pane.paneId }));
  const last = text
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "" && !line.startsWith("Pane is dead"))
    .slice(-8);
  return { lastWords: last.map((line) => `  ${line}`).join("\n") };
}

function failureOf(request: Launch, { lastWords }: Ended): Failure {
  const said = lastWords === "" ? "it printed nothing" : `its last lines:\n${lastWords}`;
  return new Failure(`${request.agent.label} in ${tmuxNameOf(request.agent, request.name)} ended before its session was known; ${said}`, {
    hint: `nothing is left of it; try it by hand: cd ${quoteWord(request.cwd)} && ${request.agent.program}`,
  });
}

function recovery(cx: Context, request: Launch, screen: Screen, { lateRollout }: AgentFeatures): string {
  const session = tmuxNameOf(request.agent, request.name);
  const trust = screen.page === "folder_trust" && !request.acceptTrust ? `start again with --accept-trust, or ` : "";
  const steps = [...(screen.asks ? ["answer what it asks"] : []), ...(lateRollout ? ["submit something"] : [])];
  const there = steps.length > 0 ? steps.join(", ") : "see what it shows";
  return (
    `${trust}attach with tmux attach -t ${session}, ${there}, then ${cx.program} register-${request.role} --name ${request.name} ` +
    `--pid $(tmux list-panes -t '=${session}' -F '#{pane_pid}') --tmux-session ${session}; or end it with tmux kill-session -t ` +
    `'=${session}'`
  );
}
