/** start-worker and start-manager: a session launched, found and put on record. */
import { choice, flag, integer, jsonFlag, pathFlag, text } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { type AgentKey, agentKeys, CHOICE_VARIABLE, chosenAgent, allAgents } from "../../core/agent/agents.ts";
import { Failure } from "../../core/failure.ts";
import { type RegisteredSession, registeredSession, type Role, type Session } from "../../core/sessions/session.ts";
import { registerSession, sessionOfRollout } from "../../store/sessions/sessions.ts";
import { findStart, markRegistered } from "../../store/sessions/unfinished-starts.ts";
import { tx } from "../../store/store.ts";
import { nextCommand } from "../reach/next-command.ts";
import type { Launch, LaunchScene } from "./begin-terminal.ts";
import { checkLaunch, launch } from "./launch.ts";
import { undertake } from "./undertaking.ts";
import { planWorktree, type WorktreeWish } from "../worktrees/plan.ts";
import { inWorktree, withWorktree } from "../worktrees/start.ts";
import { leftBehind, takeUp } from "./unfinished.ts";
import { LAUNCH_VARIABLE, LAUNCH_WAYS, launchWish } from "./way-of-launch.ts";

const permissionModes = allAgents.flatMap((agent) => agent.permissionModes ?? []);

/** Which agent runs, and with what: flags of every command that starts one. */
export const agentFlags = {
  agent: choice(`which agent; else what ${CHOICE_VARIABLE} names, else codex`, agentKeys, { value: "AGENT" }),
  model: text("model that the agent is to use; else as it is set up", { value: "MODEL", filled: true }),
  effort: text("how hard the model is to think; else as the agent is set up", { value: "EFFORT", filled: true }),
};

/** How a session is started: a flag of every command that starts one. */
export const launchFlag = choice(
  `protocol: the session is spoken to by the agent's own protocol, or by its terminal where it has none; tmux: by its terminal; else ` +
    `what ${LAUNCH_VARIABLE} names, else protocol`,
  LAUNCH_WAYS,
);

/** Flags of every command that launches a session. */
export const launchFlags = {
  ...agentFlags,
  sandbox: text("sandbox mode of the agent", { default: "danger-full-access", value: "MODE", filled: true }),
  askForApproval: text("when the agent asks before it runs a command", { default: "never", value: "POLICY", filled: true }),
  permissionMode: choice(
    "the agent's own word for what it may do; wins over --sandbox and --ask-for-approval, and in a mixed pair is for the side that has it",
    permissionModes,
    {
      value: "MODE",
    },
  ),
  codexProfile: choice("yolo: danger-full-access and never, which are also the defaults; an explicit flag wins", ["yolo"]),
  acceptTrust: flag("answer the agent's question whether to trust the folder with yes"),
  launch: launchFlag,
};

/** What one of the two sessions of a pair is to run with, where that differs. */
export const roleFlags = {
  workerAgent: choice("which agent the worker is; else --agent", agentKeys, { value: "AGENT" }),
  managerAgent: choice("which agent the manager is; else --agent", agentKeys, { value: "AGENT" }),
  workerModel: text("model of the worker; else --model", { value: "MODEL", filled: true }),
  managerModel: text("model of the manager; else --model", { value: "MODEL", filled: true }),
  workerEffort: text("effort of the worker's model; else --effort", { value: "EFFORT", filled: true }),
  managerEffort: text("effort of the manager's model; else --effort", { value: "EFFORT", filled: true }),
};

/** Flags that start-worker and start-manager share. */
export const startFlags = {
  name: text("name of the session, unique among all sessions; its tmux session is codex-NAME or claude-NAME", {
    required: true,
    filled: true,
  }),
  cwd: text("folder in which the agent works; else the current one", { value: "FOLDER", filled: true }),
  ...launchFlags,
  resume: text("thread that has ended and is to be gone on with, with these permissions, and without first words", {
    value: "ID",
    filled: true,
  }),
  json: jsonFlag,
  path: pathFlag,
};

export const timeoutSeconds = (seconds: number) =>
  integer("how long to wait until the session is known", { default: seconds, min: 1, value: "SECONDS" });

/** What the flags say about the agent. */
export interface AgentInput {
  readonly agent: AgentKey | undefined;
  readonly model: string | undefined;
  readonly effort: string | undefined;
}

export interface StartInput extends AgentInput {
  readonly sandbox: string;
  readonly askForApproval: string;
  readonly permissionMode?: string | undefined;
  readonly acceptTrust: boolean;
  readonly timeoutSeconds: number;
  readonly launch: string | undefined;
  readonly resume?: string | undefined;
}

/** The launch that the flags describe. @throws Failure when this version does not know the agent that CONVEYOR_AGENT names */
export const launchOf = (cx: Context, role: Role, name: string, cwd: string, input: StartInput, prompt: string | null): Launch => ({
  agent: chosenAgent(cx.env, input.agent),
  model: input.model ?? null,
  effort: input.effort ?? null,
  role,
  name,
  cwd,
  sandbox: input.sandbox,
  approval: input.askForApproval,
  permissionMode: input.permissionMode ?? null,
  prompt,
  acceptTrust: input.acceptTrust,
  timeoutSeconds: input.timeoutSeconds,
  bindings: [],
  asSetUp: false,
  wish: launchWish(cx, input.launch),
  resume: input.resume ?? null,
});

/** The flags that start a session with what was asked for, and with no more rights; what is the default is left out. */
export function startWords({ agent, model, effort, sandbox, askForApproval, permissionMode, acceptTrust, launch }: StartInput): string[] {
  const given: Readonly<Record<string, string | undefined>> = {
    "--agent": agent,
    "--model": model,
    "--effort": effort,
    "--sandbox": sandbox === launchFlags.sandbox.default ? undefined : sandbox,
    "--ask-for-approval": askForApproval === launchFlags.askForApproval.default ? undefined : askForApproval,
    "--permission-mode": permissionMode,
    "--launch": launch,
  };
  const words = Object.entries(given).flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]));
  return acceptTrust ? [...words, "--accept-trust"] : words;
}

/**
 * Launches the session, waits until its thread is known and registers it, or goes on with what a start of the same that was cut off left.
 * @throws Failure as {@link launch}; nothing is registered then
 */
export async function startSession(scene: LaunchScene, request: Launch, via: string): Promise<RegisteredSession> {
  const { store, under } = scene;
  const kept = await keptSession(scene, request);
  if (kept !== null) return registeredSession(kept);
  const started = await launch(scene, request);
  under.check();
  return tx(store, () => {
    // Two that began with the same words at the same moment may both have found the first thread to appear.
    const other = sessionOfRollout(store, started.rolloutPath);
    if (other?.state === "active") {
      throw new Failure(
        `thread ${started.threadId}, found for ${started.tmuxSession}, was registered as ${JSON.stringify(other.name)} meanwhile: two ` +
          "sessions began with the same words",
        {
          hint: `end it with ${nextCommand(scene.cx, store, "stop", request.name)} and start it again`,
        },
      );
    }
    const registered = registerSession(store, {
      name: request.name,
      role: request.role,
      pid: started.pid,
      cwd: started.cwd ?? request.cwd,
      agent: request.agent.key,
      ...(started.started === null ? {} : { started: started.started }),
      codexSessionPath: started.rolloutPath,
      codexSessionId: started.threadId,
      tmuxSession: started.tmuxSession,
      tmuxPaneId: started.paneId,
      note: { via },
    });
    markRegistered(store, started.mark, registered.id);
    return registeredSession(registered);
  });
}

/** The session that a start of the same has put on record before it was cut off; it is part of this undertaking now. */
async function keptSession(scene: LaunchScene, request: Launch): Promise<Session | null> {
  const { cx, store, under } = scene;
  const left = await leftBehind(scene, findStart(store, request.name), request);
  if (left === null || left.session === null) return null;
  const { start, session } = left;
  under.check();
  await takeUp(scene, start);
  const ending = nextCommand(cx, store, "stop", start.name);
  const terminal = under.begins({ name: start.name, tmuxSession: start.tmux_session, mark: start.mark, ending });
  if (session.tmux_pane_id !== null && session.pid !== null)
    terminal.seen = { paneId: session.tmux_pane_id, pid: session.pid, at: cx.now() };
  return session;
}

/** One whole `start-…` command. @param wish null: no worktree is asked for */
export async function start(cx: Context, path: string | undefined, request: Launch, wish: WorktreeWish | null = null): Promise<void> {
  const scene = { cx, store: cx.store(path) };
  const { name: worker, cwd, role } = request;
  const plan = wish === null ? null : await planWorktree(cx, { store: scene.store, worker, task: null, cwd, wish });
  const launch = inWorktree(request, plan);
  await checkLaunch(scene, launch);
  const via = `start-${role}`;
  cx.json(
    await undertake(cx, async (under) => {
      const begun = { ...scene, under };
      return withWorktree(begun, plan, null, launch, async (worktree) => {
        const started = await startSession(begun, launch, via);
        return worktree === null ? started : { ...started, worktree };
      });
    }),
  );
}
