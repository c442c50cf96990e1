/**
 * Whom a name means where a worker or a session may be named: a compatibility worker (a folder with config.json) before a registered
 * session.
 */
import type { Context } from "../../context.ts";
import { agents } from "../../core/agent/agents.ts";
import type { JsonObject } from "../../core/json.ts";
import { DEFAULT_AGENT, isPlainName, type Session } from "../../core/sessions/session.ts";
import { findSession } from "../../store/sessions/sessions.ts";
import { unknownSession } from "../../store/names.ts";
import type { Store } from "../../store/store.ts";
import { readCompatJson } from "../../system/compat-worker.ts";

export interface Subject {
  readonly kind: "worker" | "session";
  readonly name: string;
  /** The program that it runs, as it stands on record. */
  readonly agent: string;
  readonly cwd: string;
  readonly tmuxSession: string | null;
  readonly paneId: string | null;
  readonly pid: number | null;
  /** When it was first put on record. */
  readonly since: string | null;
  /** When it was last heard of. */
  readonly lastHeard: string | null;
  /** Where its own server listens. */
  readonly socket: string | null;
  readonly identityToken: string | null;
  /** config.json of a worker; `{}` of a session. */
  readonly config: JsonObject;
  readonly session: Session | null;
}

const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

/** The compatibility worker of this name, or null. */
export function compatSubject(root: string, name: string): Subject | null {
  if (!isPlainName(name)) return null;
  const config = readCompatJson(root, name, "config.json");
  if (config === null) return null;
  return {
    kind: "worker",
    name,
    agent: text(config.agent) ?? DEFAULT_AGENT,
    cwd: text(config.cwd) ?? "",
    tmuxSession: text(config.tmux_session) ?? `${agents[DEFAULT_AGENT].tmuxPrefix}${name}`,
    paneId: text(config.tmux_pane_id),
    pid: null,
    since: text(config.created_at),
    lastHeard: null,
    socket: null,
    identityToken: text(config.identity_token),
    config,
    session: null,
  };
}

export const sessionSubject = (session: Session): Subject => ({
  kind: "session",
  name: session.name,
  agent: session.agent,
  cwd: session.cwd,
  tmuxSession: session.tmux_session || null,
  paneId: session.tmux_pane_id,
  pid: session.pid,
  since: session.registered_at,
  lastHeard: session.last_heartbeat_at,
  socket: session.socket,
  identityToken: session.identity_token,
  config: {},
  session,
});

/** @throws Failure naming it when it is neither a compatibility worker nor a registered session */
export function needSubject(cx: Context, store: Store, name: string): Subject {
  const worker = compatSubject(cx.stateRoot, name);
  if (worker) return worker;
  const session = findSession(store, name);
  if (session) return sessionSubject(session);
  throw unknownSession(store, name, "there is no worker and no registered session");
}
