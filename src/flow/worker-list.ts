/** All that can be watched: folders of workers below the state root, and the active registered sessions. */
import type { Context } from "../context.ts";
import { Failure } from "../core/failure.ts";
import { listSessions } from "../store/session-list.ts";
import type { Store } from "../store/store.ts";
import { folderNames } from "../system/compat-worker.ts";
import { isFolder } from "../system/folders.ts";
import { isThere } from "../system/text-file.ts";
import { listPanes, type Pane } from "../system/tmux.ts";
import { placeAmong } from "./pane.ts";
import { compatSubject, sessionSubject, type Subject } from "./subject.ts";
import { reported } from "./worker-status.ts";

export interface ListedWorker {
  readonly name: string;
  readonly kind: "worker" | "session";
  readonly running: boolean;
  readonly status: "running" | "stopped";
  readonly state: string;
  readonly current_task: string;
  /** Why tmux could not be asked. */
  readonly terminal_error?: string;
}

/** What this tool itself keeps below the state root. */
const OWN_FOLDERS = new Set(["artifacts", "disposable-sessions"]);

const bareFolder = (name: string): Subject => ({ kind: "worker", name, cwd: "", tmuxSession: `codex-${name}`, paneId: null, identityToken: null, config: {}, session: null });

/** Sorted by name; tmux is asked once. `store` is null when there is no database. */
export async function listWorkers(cx: Context, store: Store | null): Promise<ListedWorker[]> {
  if (isThere(cx.stateRoot) && !isFolder(cx.stateRoot)) throw new Failure(`the state root ${cx.stateRoot} is not a folder`, { hint: "choose another place with WORKERCTL_STATE_ROOT=FOLDER" });
  const registered = store ? listSessions(store, { state: "all" }) : [];
  const known = new Set(registered.map((session) => session.name));
  const sessions = registered.filter((session) => session.state === "active").map(sessionSubject);
  const folders = folderNames(cx.stateRoot).flatMap((folder) => {
    const worker = compatSubject(cx.stateRoot, folder);
    if (worker) return worker;
    // A folder without configuration that bears a session's name holds that session's captures.
    return known.has(folder) || OWN_FOLDERS.has(folder) ? [] : bareFolder(folder);
  });
  const subjects = [...folders, ...sessions.filter((session) => !folders.some((folder) => folder.name === session.name))];
  const { panes, error } = await askTmux(cx, subjects.some((subject) => subject.tmuxSession !== null));
  return subjects
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((subject) => {
      const running = placeAmong(panes, { ...subject, paneId: null }).pane !== null;
      const { state, current_task } = reported(cx, store, subject.name);
      const name = typeof subject.config.name === "string" ? subject.config.name : subject.name;
      return {
        name,
        kind: subject.kind,
        running,
        status: running ? "running" : "stopped",
        state,
        current_task: current_task ?? "",
        ...(error === null ? {} : { terminal_error: error }),
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
