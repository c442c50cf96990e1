/** The status of a worker or session: what it reports, whether its terminal runs, when that last changed. */
import type { Context } from "../../context.ts";
import { agentOf } from "../../core/agent/agents.ts";
import type { PageName, Screen } from "../../core/agent/screen.ts";
import { Failure } from "../../core/failure.ts";
import { ageSeconds } from "../../core/time.ts";
import { judgeHealth, knownState, noStatus, statusOf, type WorkerStatus } from "../../core/tasks/worker-status.ts";
import type { CaptureMeta } from "../../store/observe/captures.ts";
import { latestStatus } from "../../store/compat/statuses.ts";
import type { Store } from "../../store/store.ts";
import { readCompatJson, readCompatText } from "../../system/compat-worker.ts";
import type { Pane } from "../../system/terminal/panes.ts";
import { capture, lastCapture } from "../observe/capture.ts";
import { judgeScreen } from "../observe/pane-signal.ts";
import { findPlace, viewPane } from "../reach/pane.ts";
import type { Subject } from "../reach/subject.ts";
import type { SubjectScene } from "../scene.ts";

/** The newest report: of the database, else of status.json. `store` is null when there is no database. */
export function reported(cx: Context, store: Store | null, name: string): WorkerStatus {
  const stored = store && latestStatus(store, name);
  if (stored) return { ...stored, state: knownState(stored.state) };
  const file = readCompatJson(cx.stateRoot, name, "status.json");
  const status = file ? statusOf(file) : noStatus;
  return { ...status, state: knownState(status.state) };
}

interface Terminal {
  readonly running: boolean;
  /** The pane in which the subject runs; null also when tmux runs but the recorded pane is gone. */
  readonly pane: Pane | null;
  readonly error: string | null;
}

async function terminalOf(cx: Context, subject: Subject): Promise<Terminal> {
  try {
    const placed = await findPlace(cx, subject);
    if (placed.pane) return { running: true, pane: placed.pane, error: null };
    return { running: placed.why === "moved", pane: null, error: placed.why === "missing" ? null : placed.reason };
  } catch (error) {
    if (error instanceof Failure) return { running: false, pane: null, error: error.message };
    throw error;
  }
}

interface Shown {
  readonly text: string;
  readonly screen: Screen;
}

interface Look {
  /** What stands on the screen; null: it could not be seen. */
  readonly shown: Shown | null;
  readonly page: PageName | null;
  readonly error: string | null;
}

async function look(pane: Pane | null, read: (pane: Pane) => Promise<Shown>): Promise<Look> {
  if (!pane) return { shown: null, page: null, error: null };
  try {
    const shown = await read(pane);
    return { shown, page: shown.screen.page, error: null };
  } catch (error) {
    if (error instanceof Failure) return { shown: null, page: null, error: error.message };
    throw error;
  }
}

/** What stood on the screen at the last capture. */
function lastShown(cx: Context, subject: Subject): Shown | null {
  const text = readCompatText(cx.stateRoot, subject.name, "transcript.txt");
  return text === null ? null : { text, screen: agentOf(subject).screen.read(text, null) };
}

interface StatusOptions {
  /** Record a capture when the terminal runs. */
  readonly refresh: boolean;
  readonly lines: number;
}

const startupKeys = ["startup", "startup_reason", "startup_recommended_action"] as const;

/** The result of `status`. */
export async function statusReport(scene: SubjectScene, options: StatusOptions): Promise<Record<string, unknown>> {
  const { cx, store, subject } = scene;
  const terminal = await terminalOf(cx, subject);
  const seen = await look(options.refresh ? terminal.pane : null, (pane) => capture(scene, pane, options.lines));
  const status = reported(cx, store, subject.name);
  const last = lastCapture(scene);
  return {
    name: subject.name,
    running: terminal.running,
    ...reportKeys(status),
    ...Object.fromEntries(startupKeys.map((key) => [key, subject.config[key] ?? null])),
    tmux_session: subject.tmuxSession,
    terminal_captured_at: last?.captured_at ?? null,
    terminal_changed_at: last?.changed_at ?? null,
    terminal_capture_error: terminal.error ?? seen.error,
    page: seen.page,
  };
}

const reportKeys = ({ state, current_task, next_action, blocker, last_update }: WorkerStatus) => ({
  state,
  current_task,
  next_action,
  blocker,
  status_last_update: last_update,
});

interface IdleOptions extends StatusOptions {
  readonly statusStaleSeconds: number;
  readonly terminalStaleSeconds: number;
  readonly busyWaitSeconds: number;
}

/** The result of `idle-check`: the status with a health verdict. The screen is read once, recorded or not. */
export async function idleReport(scene: SubjectScene, options: IdleOptions): Promise<Record<string, unknown>> {
  const { cx, store, subject } = scene;
  const terminal = await terminalOf(cx, subject);
  const seen = await look(terminal.pane, (pane) =>
    options.refresh ? capture(scene, pane, options.lines) : viewPane(cx, agentOf(subject), pane, options.lines),
  );
  const status = reported(cx, store, subject.name);
  const last: CaptureMeta | null = lastCapture(scene);
  const captureError = terminal.error ?? seen.error;
  const statusAge = ageSeconds(status.last_update, cx.nowMs());
  const terminalAge = ageSeconds(last?.changed_at, cx.nowMs());
  const { statusStaleSeconds, terminalStaleSeconds, busyWaitSeconds } = options;
  const shown = seen.shown ?? (terminal.running ? lastShown(cx, subject) : null);
  const judged = shown && judgeScreen(agentOf(subject), shown, { statusAge, busyWaitSeconds });
  return {
    name: subject.name,
    running: terminal.running,
    ...reportKeys(status),
    ...judgeHealth({
      running: terminal.running,
      state: status.state,
      captureError,
      finding: judged?.finding ?? null,
      waits: judged?.reason ?? null,
      statusAge,
      statusStaleSeconds,
      terminalAge,
      terminalStaleSeconds,
    }),
    busy_wait_pattern: judged?.finding?.pattern ?? null,
    busy_wait_seconds: busyWaitSeconds,
    capture_error: captureError,
    page: seen.page,
    status_age_seconds: statusAge,
    status_stale_seconds: statusStaleSeconds,
    terminal_age_seconds: terminalAge,
    terminal_changed_at: last?.changed_at ?? null,
    terminal_fresh: captureError === null,
    terminal_stale_seconds: terminalStaleSeconds,
    tmux_session: subject.tmuxSession,
  };
}
