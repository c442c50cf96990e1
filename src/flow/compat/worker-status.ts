/** The status of a worker or session: what it reports, whether its terminal runs, when that last changed. */
import type { Context } from "../../context.ts";
import { agentOf } from "../../core/agent/agents.ts";
import type { PageName } from "../../core/agent/screen.ts";
import { Failure } from "../../core/failure.ts";
import { ageSeconds } from "../../core/time.ts";
import { judgeHealth, knownState, noStatus, statusOf, type WorkerStatus } from "../../core/tasks/worker-status.ts";
import type { CaptureMeta } from "../../store/observe/captures.ts";
import { latestStatus } from "../../store/compat/statuses.ts";
import type { Store } from "../../store/store.ts";
import { readCompatJson, readCompatText } from "../../system/compat-worker.ts";
import type { Pane } from "../../system/terminal/panes.ts";
import { capture, lastCapture } from "../observe/capture.ts";
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

interface Look {
  /** What stands on the screen, or stood there at the last capture; null: nothing is known. */
  readonly text: string | null;
  readonly page: PageName | null;
  readonly error: string | null;
}

async function look(pane: Pane | null, read: (pane: Pane) => Promise<{ text: string; page: PageName }>): Promise<Look> {
  if (!pane) return { text: null, page: null, error: null };
  try {
    return { ...(await read(pane)), error: null };
  } catch (error) {
    if (error instanceof Failure) return { text: null, page: null, error: error.message };
    throw error;
  }
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
  const screen = seen.text ?? (terminal.running ? readCompatText(cx.stateRoot, subject.name, "transcript.txt") : null);
  const finding =
    screen === null ? null : agentOf(subject).screen.busyWait(screen, { statusAge, busyWaitSeconds: options.busyWaitSeconds });
  const { statusStaleSeconds, terminalStaleSeconds } = options;
  return {
    name: subject.name,
    running: terminal.running,
    ...reportKeys(status),
    ...judgeHealth({
      running: terminal.running,
      state: status.state,
      captureError,
      finding,
      statusAge,
      statusStaleSeconds,
      terminalAge,
      terminalStaleSeconds,
    }),
    busy_wait_pattern: finding?.pattern ?? null,
    busy_wait_seconds: options.busyWaitSeconds,
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
