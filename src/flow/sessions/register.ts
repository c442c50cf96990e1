/** Registering a Codex session that runs already, as worker or manager. */
import { flag, integer, jsonFlag, pathFlag, text } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { agentOfPath, allAgents } from "../../core/agent/agents.ts";
import { UsageError } from "../../core/failure.ts";
import { registeredSession, type Role } from "../../core/sessions/session.ts";
import { quoteCommand } from "../../core/shell.ts";
import { registerSession } from "../../store/sessions/sessions.ts";
import { alive } from "../../system/processes/processes.ts";
import { transcriptHead } from "../../system/agent/transcript.ts";
import { hasSession } from "../../system/terminal/sessions.ts";
import { agentAround, type Identity, identifyByPid, identifyByThread, identifySelf, rolloutOf } from "./identify.ts";
import { reachable } from "../reach/reachable.ts";

/** The flags that register-worker and register-manager share. */
export const registerFlags = {
  name: text("name of the session, unique among all sessions", { required: true, filled: true }),
  pid: integer("process of the Codex session; its open rollout is found when no path is given", { min: 1 }),
  codexSession: text("rollout file, or thread id, of the Codex session; without --pid, whoever writes that thread is its process", {
    value: "PATH|ID",
    filled: true,
  }),
  self: flag(`register the session this command runs in (by ${allAgents.map(({ selfVariable }) => selfVariable).join(" or ")})`),
  cwd: text("folder of the session; else the one its rollout names"),
  tmuxSession: text("tmux session in which it runs; without one it polls its inbox", { value: "NAME", filled: true }),
  json: jsonFlag,
  path: pathFlag,
};

interface Input {
  readonly name: string;
  readonly pid: number | undefined;
  readonly codexSession: string | undefined;
  readonly self: boolean;
  readonly cwd: string | undefined;
  readonly tmuxSession: string | undefined;
  readonly path: string | undefined;
}

/** The command as it was given, with the thread named. */
const words = (cx: Context, role: Role, { name, pid, cwd, tmuxSession, path }: Input, thread: string): string[] => {
  const given = Object.entries({
    "--name": name,
    "--pid": pid,
    "--codex-session": thread,
    "--cwd": cwd,
    "--tmux-session": tmuxSession,
    "--path": path,
  });
  return [cx.program, `register-${role}`, ...given.flatMap(([flag, value]) => (value === undefined ? [] : [flag, String(value)]))];
};

async function identify(cx: Context, role: Role, input: Input): Promise<Identity> {
  const here = input.self || (input.pid === undefined && input.codexSession === undefined && agentAround(cx) !== null);
  if (here) {
    if (input.pid !== undefined || input.codexSession !== undefined) throw new UsageError("--self excludes --pid and --codex-session");
    return identifySelf(cx);
  }
  if (input.pid === undefined) {
    if (input.codexSession === undefined)
      throw new UsageError("one of --pid, --codex-session and --self is needed to know which Codex session is meant");
    return identifyByThread(cx, input.codexSession);
  }
  if (input.codexSession === undefined) return identifyByPid(cx, input.pid, (thread) => quoteCommand(words(cx, role, input, thread)));
  const rolloutPath = rolloutOf(cx, input.codexSession);
  const agent = agentOfPath(rolloutPath);
  const meta = transcriptHead(agent, rolloutPath);
  return { agent, rolloutPath, threadId: meta.id, pid: input.pid, cwd: meta.cwd, pane: null };
}

/** Registers and prints; everything is looked up before the database is opened. */
export async function register(cx: Context, role: Role, input: Input): Promise<void> {
  const identity = await identify(cx, role, input);
  const tmuxSession = input.tmuxSession ?? identity.pane?.session ?? null;
  if (identity.pid !== null && !alive(identity.pid)) cx.err(`warning: no process ${identity.pid} is running`);
  if (tmuxSession !== null && !(await hasSession(cx.env, tmuxSession).catch(() => false)))
    cx.err(`warning: tmux session ${JSON.stringify(tmuxSession)} does not exist`);
  const session = registerSession(cx.store(input.path), {
    name: input.name,
    role,
    pid: identity.pid,
    cwd: input.cwd === undefined ? (identity.cwd ?? "") : cx.path(input.cwd),
    agent: identity.agent.key,
    codexSessionPath: identity.rolloutPath,
    codexSessionId: identity.threadId,
    tmuxSession,
    ...(input.tmuxSession === undefined && identity.pane ? { tmuxPaneId: identity.pane.paneId } : {}),
  });
  cx.json({
    ...registeredSession(session),
    communication: reachable(session, { program: cx.program, ...(input.path === undefined ? {} : { path: cx.storePath(input.path) }) }),
  });
}
