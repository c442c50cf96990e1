/** start-worker and start-manager: a session launched, found and put on record. */
import { choice, flag, integer, jsonFlag, pathFlag, text } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { codex } from "../../core/agent/agent.ts";
import { Failure } from "../../core/failure.ts";
import { type RegisteredSession, registeredSession, type Role } from "../../core/sessions/session.ts";
import { registerSession, sessionOfRollout } from "../../store/sessions/sessions.ts";
import { type Store, tx } from "../../store/store.ts";
import { checkLaunch, type Launch, launch } from "./launch.ts";

/** Flags of every command that launches a session. */
export const launchFlags = {
  sandbox: text("sandbox mode of the agent", { default: "danger-full-access", value: "MODE", filled: true }),
  askForApproval: text("when the agent asks before it runs a command", { default: "never", value: "POLICY", filled: true }),
  codexProfile: choice("yolo: danger-full-access and never, which are also the defaults; an explicit flag wins", ["yolo"]),
  acceptTrust: flag("answer Codex's question whether to trust the folder with yes"),
};

/** Flags that start-worker and start-manager share. */
export const startFlags = {
  name: text("name of the session, unique among all sessions; its tmux session is codex-NAME", { required: true, filled: true }),
  cwd: text("folder in which the agent works; else the current one", { value: "FOLDER", filled: true }),
  ...launchFlags,
  json: jsonFlag,
  path: pathFlag,
};

export const timeoutSeconds = (seconds: number) =>
  integer("how long to wait until the session is known", { default: seconds, min: 1, value: "SECONDS" });

export interface StartInput {
  readonly sandbox: string;
  readonly askForApproval: string;
  readonly acceptTrust: boolean;
  readonly timeoutSeconds: number;
}

/** The launch that the flags describe. */
export const launchOf = (role: Role, name: string, cwd: string, input: StartInput, prompt: string | null): Launch => ({
  agent: codex,
  role,
  name,
  cwd,
  sandbox: input.sandbox,
  approval: input.askForApproval,
  prompt,
  acceptTrust: input.acceptTrust,
  timeoutSeconds: input.timeoutSeconds,
});

/**
 * Launches the session, waits until its thread is known and registers it.
 * @throws Failure as {@link launch}; nothing is registered then
 */
export async function startSession(cx: Context, store: Store, request: Launch, via: string): Promise<RegisteredSession> {
  const started = await launch(cx, store, request);
  const session = tx(store, () => {
    // Two that began with the same words at the same moment may both have found the first thread to appear.
    const other = sessionOfRollout(store, started.rolloutPath);
    if (other?.state === "active") {
      throw new Failure(
        `thread ${started.threadId}, found for ${started.tmuxSession}, was registered as ${JSON.stringify(other.name)} meanwhile: two ` +
          "sessions began with the same words",
        {
          hint: `end it with tmux kill-session -t '=${started.tmuxSession}' and start it again`,
        },
      );
    }
    return registerSession(store, {
      name: request.name,
      role: request.role,
      pid: started.pid,
      cwd: started.cwd ?? request.cwd,
      codexSessionPath: started.rolloutPath,
      codexSessionId: started.threadId,
      tmuxSession: started.tmuxSession,
      tmuxPaneId: started.paneId,
      note: { via },
    });
  });
  return registeredSession(session);
}

/** One whole `start-…` command. */
export async function start(cx: Context, path: string | undefined, request: Launch): Promise<void> {
  const store = cx.store(path);
  await checkLaunch(cx, store, request);
  cx.json(await startSession(cx, store, request, `start-${request.role}`));
}
