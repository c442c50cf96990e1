/** Registering a session that runs already, as worker or manager. */
import { existsSync } from "node:fs";
import { choice, flag, integer, jsonFlag, pathFlag, text } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { type AgentKey, agentKeys, agentOf, agents, allAgents } from "../../core/agent/agents.ts";
import { UsageError } from "../../core/failure.ts";
import { needPlainName, registeredSession, type Role } from "../../core/sessions/session.ts";
import { quoteCommand } from "../../core/shell.ts";
import { findSession, registerSession } from "../../store/sessions/sessions.ts";
import { agentOfProcess, isShared, sessionLine } from "../../system/agent/kinship.ts";
import { alive, listProcesses } from "../../system/processes/processes.ts";
import { listPanes } from "../../system/terminal/panes.ts";
import { agentsAround, conversationAt, type Identity, identifyByPid, identifyByThread, identifySelf, transcriptMeant } from "./identify.ts";
import { ownServer } from "./own-server.ts";
import { reachable } from "../reach/reachable.ts";
import { servedConversation } from "../reach/served.ts";

/** The flags that register-worker and register-manager share. */
export const registerFlags = {
  name: text("name of the session, unique among all sessions", { required: true, filled: true }),
  pid: integer("process of the session; its rollout or transcript is found when no path is given", { min: 1 }),
  codexSession: text("rollout or transcript file, or id, of the session; without --pid, whoever writes it is its process", {
    value: "PATH|ID",
    filled: true,
  }),
  self: flag(`register the session this command runs in (by ${allAgents.map(({ selfVariable }) => selfVariable).join(" or ")})`),
  agent: choice("which agent, where process, rollout and environment fit more than one", agentKeys, { value: "AGENT" }),
  cwd: text("folder of the session; else the one its rollout names"),
  tmuxSession: text("tmux session in which it runs; without one it polls its inbox", { value: "NAME", filled: true }),
  timeoutSeconds: integer("with --codex-session and without --pid: how long to wait until somebody writes that thread", {
    default: 0,
    min: 0,
    value: "SECONDS",
  }),
  json: jsonFlag,
  path: pathFlag,
};

interface Input {
  readonly name: string;
  readonly pid: number | undefined;
  readonly codexSession: string | undefined;
  readonly self: boolean;
  readonly agent: AgentKey | undefined;
  readonly cwd: string | undefined;
  readonly tmuxSession: string | undefined;
  readonly timeoutSeconds: number;
  readonly path: string | undefined;
}

/** The command as it was given, with the thread named. */
const words = (cx: Context, role: Role, { name, pid, agent, cwd, tmuxSession, path }: Input, thread: string): string[] => {
  const given = Object.entries({
    "--name": name,
    "--pid": pid,
    "--codex-session": thread,
    "--agent": agent,
    "--cwd": cwd,
    "--tmux-session": tmuxSession,
    "--path": path,
  });
  return [cx.program, `register-${role}`, ...given.flatMap(([flag, value]) => (value === undefined ? [] : [flag, String(value)]))];
};

async function identify(cx: Context, role: Role, input: Input): Promise<Identity> {
  const among = input.agent === undefined ? allAgents : [agents[input.agent]];
  const here = input.self || (input.pid === undefined && input.codexSession === undefined && agentsAround(cx, among).length > 0);
  if (here) {
    if (input.pid !== undefined || input.codexSession !== undefined) throw new UsageError("--self excludes --pid and --codex-session");
    return identifySelf(cx, among);
  }
  if (input.pid === undefined) {
    if (input.codexSession === undefined)
      throw new UsageError("one of --pid, --codex-session and --self is needed to know which session is meant");
    return identifyByThread(cx, input.codexSession, among, input.timeoutSeconds);
  }
  if (input.codexSession === undefined)
    return identifyByPid(cx, input.pid, among, (thread) => quoteCommand(words(cx, role, input, thread)));
  const { agent, path } = transcriptMeant(cx, input.codexSession, among);
  const meta = conversationAt(agent, path);
  return { agent, rolloutPath: meta.path, threadId: meta.id, pid: input.pid, cwd: meta.cwd, pane: null };
}

/**
 * The conversation of a session with a server of its own as that server tells it: its process stays the one in the pane, and nothing need be
 * written there yet. Null when the name is none of such a session, or its server has no such conversation.
 */
async function identifyServed(cx: Context, { name, pid, codexSession, self, path }: Input): Promise<Identity | null> {
  if (codexSession === undefined || self || !existsSync(cx.storePath(path))) return null;
  const session = findSession(cx.store(path), name);
  if (session === null || session.pid === null || (pid !== undefined && pid !== session.pid) || !alive(session.pid)) return null;
  const conversation = await servedConversation(session, codexSession);
  if (conversation === null || conversation.path === null) return null;
  const { id: threadId, path: rolloutPath, cwd } = conversation;
  return { agent: agentOf(session), rolloutPath, threadId, pid: session.pid, cwd, pane: null };
}

/** Where the session is in tmux, as far as a look tells. */
interface InTmux {
  /** The pane its process lives in. */
  readonly paneId: string | null;
  /** The tmux session is not there, or the agent runs somewhere else: nothing can be typed. */
  readonly unseen: boolean;
  readonly warning: string | null;
  /** Every pane of that tmux session; null: tmux would not say. */
  readonly panes: readonly string[] | null;
}

async function lookInTmux(cx: Context, tmuxSession: string, pid: number | null): Promise<InTmux> {
  const all = await listPanes(cx.env).catch(() => null);
  const quoted = `tmux session ${JSON.stringify(tmuxSession)}`;
  if (all === null) return { paneId: null, unseen: false, warning: `${quoted} could not be looked at`, panes: null };
  const own = all.filter((pane) => pane.session === tmuxSession || pane.paneId === tmuxSession);
  const panes = own.map(({ paneId }) => paneId);
  const agent = pid !== null && (await agentOfProcess(pid, cx.env)) !== null && !(await isShared(pid, cx.env));
  if (own.length === 0) return { paneId: null, unseen: agent, warning: `${quoted} does not exist`, panes };
  const line = pid === null || !alive(pid) ? [] : await sessionLine(pid, (await listProcesses(cx.env)) ?? [], cx.env);
  const home = own.find((pane) => line.includes(pane.pid));
  const stray = agent && home === undefined;
  return {
    paneId: home?.paneId ?? null,
    unseen: stray,
    warning: stray ? `process ${pid} does not run in ${quoted} of this tmux server` : null,
    panes,
  };
}

/** Registers and prints; everything is looked up before anything is written. */
export async function register(cx: Context, role: Role, input: Input): Promise<void> {
  const found = (await identifyServed(cx, input)) ?? (await identify(cx, role, input));
  const served = await ownServer(cx, found);
  // Another process that was named by its number stays the one that is meant.
  const own = served !== null && (input.pid === undefined || input.pid === served.pid) ? served : null;
  const identity = own === null ? found : { ...found, pid: own.pid };
  const tmuxSession = input.tmuxSession ?? identity.pane?.session ?? null;
  if (identity.pid !== null && !alive(identity.pid)) cx.err(`warning: no process ${identity.pid} is running`);
  const seen = tmuxSession === null ? null : await lookInTmux(cx, tmuxSession, identity.pid);
  if (seen?.warning) cx.err(`warning: ${seen.warning}`);
  const store = cx.store(input.path);
  const old = findSession(store, input.name);
  if (old === null) needPlainName(input.name);
  const paneId = seen?.paneId ?? (input.tmuxSession === undefined ? identity.pane?.paneId : undefined);
  // A pane that is not there any more leads nowhere, whatever is registered again.
  const forget = paneId === undefined && old?.tmux_pane_id != null && seen?.panes != null && !seen.panes.includes(old.tmux_pane_id);
  const session = registerSession(store, {
    name: input.name,
    role,
    pid: identity.pid,
    cwd: input.cwd === undefined ? (identity.cwd ?? "") : cx.path(input.cwd),
    agent: identity.agent.key,
    codexSessionPath: identity.rolloutPath,
    codexSessionId: identity.threadId,
    socket: own?.socket ?? null,
    tmuxSession,
    ...(paneId !== undefined ? { tmuxPaneId: paneId } : forget ? { tmuxPaneId: null } : {}),
  });
  cx.json({
    ...registeredSession(session),
    communication: reachable(session, {
      program: cx.program,
      ...(input.path === undefined ? {} : { path: cx.storePath(input.path) }),
      unseen: seen?.unseen ?? false,
    }),
  });
}
