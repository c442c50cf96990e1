/** All that can be watched: folders of workers below the state root, and the active registered sessions. */
import { agents } from "../../core/agent/agents.ts";
import { DEFAULT_AGENT } from "../../core/sessions/session.ts";
import type { Context } from "../../context.ts";
import { Failure } from "../../core/failure.ts";
import { listSessions } from "../../store/sessions/list.ts";
import type { Store } from "../../store/store.ts";
import { folderNames } from "../../system/compat-worker.ts";
import { isFolder } from "../../system/files/folders.ts";
import { isThere } from "../../system/files/text-file.ts";
import { listPanes, type Pane } from "../../system/terminal/panes.ts";
import { placeIn } from "../reach/pane.ts";
import { compatSubject, sessionSubject, type Subject } from "../reach/subject.ts";
import { reported } from "./worker-status.ts";

interface ListedWorker {
  readonly name: string;
  readonly kind: "worker" | "session";
  readonly running: boolean;
  readonly status: "running" | "stopped";
  readonly state: string;
  readonly current_task: string;
  /** The program that it runs. */
  readonly agent: string;
  /** Why tmux could not be asked. */
  readonly terminal_error?: string;
  /** Which of its files cannot be read, so that it is told of with what is left. */
  readonly file_error?: string;
}

/** What this tool itself keeps below the state root. */
const OWN_FOLDERS = new Set(["artifacts", "disposable-sessions"]);

const bareFolder = (name: string): Subject => ({
  kind: "worker",
  name,
  agent: DEFAULT_AGENT,
  cwd: "",
  tmuxSession: `${agents[DEFAULT_AGENT].tmuxPrefix}${name}`,
  paneId: null,
  pid: null,
  since: null,
  lastHeard: null,
  socket: null,
  identityToken: null,
  config: {},
  session: null,
});

/** Sorted by name; tmux is asked once. `store` is null when there is no database. */
export async function listWorkers(cx: Context, store: Store | null): Promise<ListedWorker[]> {
  if (isThere(cx.stateRoot) && !isFolder(cx.stateRoot))
    throw new Failure(`the state root ${cx.stateRoot} is not a folder`, { hint: "choose another place with WORKERCTL_STATE_ROOT=FOLDER" });
  const registered = store ? listSessions(store, { state: "all" }) : [];
  const known = new Set(registered.map((session) => session.name));
  const sessions = registered.filter((session) => session.state === "active").map(sessionSubject);
  const folders = folderNames(cx.stateRoot).flatMap((folder) => {
    const { value, error } = attempt(() => compatSubject(cx.stateRoot, folder));
    if (value !== null || error !== null) return { subject: value ?? bareFolder(folder), broken: error };
    // A folder without configuration that bears a session's name holds that session's captures.
    return known.has(folder) || OWN_FOLDERS.has(folder) ? [] : { subject: bareFolder(folder), broken: null };
  });
  const others = sessions.filter((session) => !folders.some(({ subject }) => subject.name === session.name));
  const listed = [...folders, ...others.map((subject) => ({ subject, broken: null }))];
  const { panes, error } = await askTmux(
    cx,
    listed.some(({ subject }) => subject.tmuxSession !== null),
  );
  const running = new Set<Subject>();
  for (const { subject } of listed) {
    const placed = await placeIn(cx, panes, subject);
    if (placed.pane !== null || placed.why === "moved") running.add(subject);
  }
  return listed
    .sort((a, b) => (a.subject.name < b.subject.name ? -1 : 1))
    .map(({ subject, broken }) => {
      const { value: report, error: unread } = attempt(() => reported(cx, store, subject.name));
      const file_error = broken ?? unread;
      const name = typeof subject.config.name === "string" ? subject.config.name : subject.name;
      return {
        name,
        kind: subject.kind,
        running: running.has(subject),
        status: running.has(subject) ? "running" : "stopped",
        state: report?.state ?? "unknown",
        current_task: report?.current_task ?? "",
        agent: subject.agent,
        ...(error === null ? {} : { terminal_error: error }),
        ...(file_error === null ? {} : { file_error }),
      };
    });
}

async function askTmux(cx: Context, needed: boolean): Promise<{ panes: readonly Pane[]; error: string | null }> {
  try {
    return { panes: needed ? await listPanes(cx.env) : [], error: null };
  } catch (error) {
    if (error instanceof Failure) return { panes: [], error: error.message };
    throw error;
  }
}

/** One broken file must not hide the others. */
function attempt<T>(read: () => T): { value: T | null; error: string | null } {
  try {
    return { value: read(), error: null };
  } catch (error) {
    if (error instanceof Failure) return { value: null, error: error.message };
    throw error;
  }
}
