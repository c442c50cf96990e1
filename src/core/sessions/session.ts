/** A registered session, and how it can be reached. */
import { Failure } from "../failure.ts";
import { parseStored } from "../json.ts";
import { quoteCommand, quoteWord } from "../shell.ts";

export const ROLES = ["worker", "manager"] as const;
export type Role = (typeof ROLES)[number];

/** What a session runs for which nobody chose an agent, and of which nothing on record says more. */
export const DEFAULT_AGENT = "codex";

/**
 * `tmux`: we started it, in a tmux session of its own; `protocol`: the same, with a server that it is spoken to by; `registered`: it ran
 * already.
 */
export type WayOfLaunch = "tmux" | "protocol" | "registered";

/** What a start puts on record, apart from the prompt: all that it takes to start the same again. */
export interface StartFacts {
  /** As the agent named itself; null when it did not say. */
  readonly version: string | null;
  /** Its program and arguments. */
  readonly argv: readonly string[];
  /** Where the agent keeps its things. */
  readonly home: string;
  readonly model: string | null;
  readonly effort: string | null;
  readonly permissions: Readonly<Record<string, string>>;
  readonly launch: WayOfLaunch;
  /** The socket of its server; null without one. */
  readonly socket: string | null;
  /** Why it is not spoken to by protocol though that was wanted. */
  readonly launchWhy: string | null;
}

/** The words of the command that starts a session anew under its name, in its folder, with its agent, and with no more rights than it had. */
export function startAnew({ name, role, cwd, agent, model, effort, permissions_json }: Session): string[] {
  const { sandbox, ask_for_approval, permission_mode } = parseStored<Record<string, unknown>>(permissions_json ?? "{}", {});
  const chosen = {
    cwd: cwd || null,
    agent: agent === DEFAULT_AGENT ? null : agent,
    model,
    effort,
    sandbox,
    "ask-for-approval": ask_for_approval,
    "permission-mode": permission_mode,
  };
  return [
    `start-${role}`,
    "--name",
    name,
    ...Object.entries(chosen).flatMap(([flag, value]) => (typeof value === "string" ? [`--${flag}`, value] : [])),
  ];
}

/** What leads on from a session that is gone. */
export const wayBack = (session: Session, program = "conveyor"): string =>
  `start it again, with a new conversation: ${quoteCommand([program, ...startAnew(session)])}; if it runs already, take it on record again: ` +
  `${program} register-${session.role} --name ${quoteWord(session.name)} --pid PID`;

/** A row of `sessions`, with what is on record of its agent. */
export interface Session {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly identity_token: string;
  readonly tmux_session: string | null;
  readonly tmux_pane_id: string | null;
  readonly codex_session_path: string | null;
  readonly codex_session_id: string | null;
  readonly pid: number | null;
  readonly cwd: string;
  readonly registered_at: string;
  readonly last_heartbeat_at: string | null;
  readonly state: "active" | "gone";
  /** Bytes of the rollout already stored as events; null before the first ingest. */
  readonly last_ingest_offset: number | null;
  /** The program that it runs, by key (`session_agents`); a session without a row there runs Codex. */
  readonly agent: string;
  /** What it was started with; null: as the agent is set up, or not known. */
  readonly model: string | null;
  readonly effort: string | null;
  /** What it may do, `{sandbox, ask_for_approval}` or `{permission_mode}`; null when that is not known. */
  readonly permissions_json: string | null;
  /** How it came to be; null for a session from before this was recorded. */
  readonly launch: WayOfLaunch | null;
  /** The socket of its own server; null without one. */
  readonly socket: string | null;
  /** Why it is not spoken to by protocol though that was wanted; null when it is, or nobody wanted it. */
  readonly launch_why: string | null;
  /** The conversation that its pane shows instead of the one on record; null: none that anybody saw. */
  readonly moved_to: string | null;
  /** How that was told: it began later, its server told that it was taken up again, or the pane's writer locks tell. */
  readonly moved_by: "began" | "hint" | "pane" | null;
  readonly moved_at: string | null;
  /** When somebody took the conversation of this running session on record again; null: it was started with it, or followed to it. */
  readonly decided_at: string | null;
}

/** Why something ended, on record: its start was interrupted, and took it back. */
export const INTERRUPTED = "start_interrupted";

/** Names that may become part of a tmux session's name and of a folder's. */
export const isPlainName = (name: string): boolean => /^[A-Za-z0-9_-]+$/.test(name);

/** What fits into the name of a folder everywhere, with room for what is put before and behind it. */
const NAME_MAX = 200;

/** @throws Failure naming it when the name holds anything else, or is longer than a folder's can be */
export function needPlainName(name: string): void {
  if (name.length > NAME_MAX)
    throw new Failure(`the name ${JSON.stringify(`${name.slice(0, 20)}…`)} has ${name.length} characters, ${NAME_MAX} are the most`);
  if (!isPlainName(name)) throw new Failure(`the name ${JSON.stringify(name)} may hold only letters, digits, _ and -`);
}

export const REDACTED = "[REDACTED]";

export interface Communication {
  readonly session_kind: "tmux" | "codex_app" | "no_tmux";
  readonly detection_source: string;
  readonly delivery_mode: "push" | "pull_required";
  readonly receive_style: "push" | "pull";
  readonly can_receive_push: boolean;
  readonly can_receive_pull: true;
  readonly requires_polling: boolean;
  readonly tmux_session: string | null;
  readonly poll_command_template: string;
  readonly poll_command?: string;
}

export interface CommunicationOptions {
  /** Program name in the commands. */
  readonly program: string;
  /** Name of the task, when one is known. */
  readonly task?: string;
  /** Database path, only when the caller gave one. */
  readonly path?: string;
  /** The thread's writer lock is held: its own queue takes messages (decision 6). */
  readonly live?: boolean;
  /** Its tmux session was looked for and does not show it here: nothing can be typed. */
  readonly unseen?: boolean;
}

/** How messages reach this session (`contract/sessions.md` § 4). */
export function communication(
  session: Pick<Session, "role" | "tmux_session" | "codex_session_id" | "codex_session_path">,
  options: CommunicationOptions,
): Communication {
  const tmux = session.tmux_session || null;
  const typed = tmux !== null && options.unseen !== true;
  const known = Boolean(session.codex_session_id || session.codex_session_path);
  const path = options.path === undefined ? "" : ` --path ${quoteWord(options.path)}`;
  const flags = `--consume-next --wait --timeout 60${path} --json`;
  const inbox = `${options.program} ${session.role}-inbox`;
  // A name that looks like a flag must come after all flags.
  const poll = (task: string) => (task.startsWith("-") ? `${inbox} ${flags} -- ${task}` : `${inbox} ${task} ${flags}`);
  return {
    session_kind: tmux ? "tmux" : known ? "codex_app" : "no_tmux",
    detection_source: tmux ? "tmux_session" : known ? "codex_session_without_tmux" : "missing_tmux_session",
    delivery_mode: typed ? "push" : "pull_required",
    receive_style: typed ? "push" : "pull",
    can_receive_push: typed || options.live === true,
    can_receive_pull: true,
    requires_polling: !typed,
    tmux_session: tmux,
    poll_command_template: poll("<task>"),
    ...(options.task === undefined ? {} : { poll_command: poll(quoteWord(options.task)) }),
  };
}

/** A session as the commands print it that register or start one. */
export interface RegisteredSession {
  readonly session_id: string;
  readonly name: string;
  readonly role: Role;
  readonly pid: number | null;
  readonly codex_session_id: string | null;
  readonly codex_session_path: string | null;
  readonly cwd: string;
  readonly tmux_session: string | null;
  readonly launch: WayOfLaunch | null;
  readonly launch_why: string | null;
}

export const registeredSession = ({
  id,
  name,
  role,
  pid,
  codex_session_id,
  codex_session_path,
  cwd,
  tmux_session,
  launch,
  launch_why,
}: Session): RegisteredSession => ({
  session_id: id,
  name,
  role,
  pid,
  codex_session_id,
  codex_session_path,
  cwd,
  tmux_session,
  launch,
  launch_why,
});
