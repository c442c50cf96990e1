/**
 * Makes a file-backed worker: folder, records, terminal; then, as asked, waits until it is ready, verifies that it reports, and stops it.
 */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Context } from "../../context.ts";
import type { Agent, ModelChoice } from "../../core/agent/agent.ts";
import { Failure } from "../../core/failure.ts";
import type { JsonObject } from "../../core/json.ts";
import { INTERRUPTED, type StartFacts } from "../../core/sessions/session.ts";
import { DEFAULT_TASK, workerContract } from "../../core/compat/worker-contract.ts";
import { latestStatus } from "../../store/compat/statuses.ts";
import { recordStart } from "../../store/sessions/unfinished-starts.ts";
import { type Store, tx } from "../../store/store.ts";
import { checkWorkerRow, recordCandidate, recordStarted, recordStopped } from "../../store/compat/worker-start.ts";
import { appendCompatEvent, readCompatText, stageCompatJson, workerFolder } from "../../system/compat-worker.ts";
import { capturePane, listPanes } from "../../system/terminal/panes.ts";
import { hasSession } from "../../system/terminal/sessions.ts";
import { sha256 } from "../../system/files/digest.ts";
import { isThere } from "../../system/files/text-file.ts";
import { thisHolder } from "../../system/processes/holder.ts";
import { stageFile } from "../../system/files/whole-file.ts";
import { endTerminal, lookAtTerminal } from "../reach/end-terminal.ts";
import { nextCommand } from "../reach/next-command.ts";
import { pressAnswer } from "../reach/pane.ts";
import { tmuxNameOf } from "../sessions/begin-terminal.ts";
import { checkTmuxFree } from "../sessions/launch.ts";
import { checkPlainSession, openPlainSession } from "../sessions/plain-session.ts";
import type { Undertaking } from "../sessions/undertaking.ts";
import type { LaunchWish } from "../sessions/way-of-launch.ts";
import { nothingLeft, promptDigest } from "../sessions/unfinished.ts";

interface CreateRequest extends ModelChoice {
  readonly agent: Agent;
  readonly name: string;
  readonly cwd: string;
  readonly task: string | undefined;
  readonly reuse: boolean;
  readonly sendContract: boolean;
  readonly wish: LaunchWish;
  readonly path: string | undefined;
}

export interface CreatedWorker extends Pick<StartFacts, "launch" | "launchWhy"> {
  readonly agent: Agent;
  readonly id: string;
  readonly name: string;
  readonly tmuxSession: string;
  readonly paneId: string;
  readonly folder: string;
  readonly store: Store;
  readonly config: JsonObject;
}

/** How far a start has come. */
interface Startup {
  readonly state: string;
  readonly reason: string;
  readonly action: string;
}

const LOOK_MS = 200;
const SETTLED_MS = 600;
/** Pages on which the composer takes words. */
const OPEN_PAGES = ["idle", "draft", "queued_input", "search"];
const ACTIONS: Readonly<Record<string, string>> = {
  ready: "none",
  working: "wait",
  needs_trust: "inspect_or_accept_trust",
  error: "inspect_terminal",
  starting: "wait",
  exited: "create_again",
};

/** @throws Failure when anything is in the way, before anything is written or started */
export async function createWorker(cx: Context, under: Undertaking, request: CreateRequest): Promise<CreatedWorker> {
  const { agent, name, cwd } = request;
  checkPlainSession(cx, agent, name, cwd, request);
  const folder = workerFolder(cx.stateRoot, name);
  const tmuxSession = tmuxNameOf(agent, name);
  const cutOff = isThere(cx.storePath(request.path)) ? await nothingLeft({ cx, store: cx.store(request.path) }, name) : null;
  // What was begun and never came to its end is nobody's yet.
  const reuse = request.reuse || cutOff !== null;
  if (existsSync(join(folder, "config.json")) && !reuse)
    throw new Failure(`worker ${JSON.stringify(name)} exists already: ${folder}`, {
      hint: `take it over with --reuse, or choose another name`,
    });
  await checkTmuxFree(cx, tmuxSession);
  const store = cx.store(request.path);
  const task = request.task ?? DEFAULT_TASK;
  checkWorkerRow(store, { name, tmuxSession, reuse });

  const identityToken = cx.newId("workerctl");
  const contract = workerContract({
    program: cx.program,
    name,
    cwd,
    task,
    token: identityToken,
    statusPath: join(folder, "status.json"),
    ...(request.path === undefined ? {} : { path: cx.storePath(request.path) }),
  });
  const start = {
    name,
    mark: cutOff?.mark ?? cx.newId("start"),
    role: "worker",
    tmux_session: tmuxSession,
    request_sha256: sha256(contract),
    prompt_sha256: promptDigest(request.sendContract ? contract : null),
    began_at: cx.now(),
    session_id: null,
    holder: await thisHolder(cx.env),
  } as const;
  under.check();
  const id = tx(store, () => {
    if (!recordStart(store, start, cutOff))
      throw new Failure(`worker ${JSON.stringify(name)} is being started by somebody else`, { hint: nextCommand(cx, store, "reconcile") });
    return recordCandidate(store, { name, tmuxSession, identityToken, cwd, task, reuse });
  });
  const terminal = under.begins({ name, tmuxSession, mark: start.mark, ending: nextCommand(cx, store, "stop", name) });
  under.takesBack(store, (stays) => {
    if (stays > 0) return;
    recordStopped(store, id, INTERRUPTED);
    appendCompatEvent(cx.stateRoot, name, { time: cx.now(), type: "stop", killed_session: true, reason: INTERRUPTED });
    // Its name is free again, as before.
    if (!request.reuse) rmSync(join(folder, "config.json"), { force: true });
  });
  const now = cx.now();
  const config: JsonObject = {
    name,
    agent: agent.key,
    cwd,
    identity_token: identityToken,
    created_at: now,
    state_dir: folder,
    tmux_session: tmuxSession,
    tmux_target: tmuxSession,
    startup: "launched",
    startup_reason: "the terminal was started",
    worker_id: id,
    tmux_pane_id: null,
  };
  stageFile(join(folder, "contract.txt"), `${contract}\n`).place();
  stageFile(join(folder, "transcript.txt")).place();
  stageCompatJson(cx.stateRoot, name, "status.json", {
    state: "waiting",
    current_task: task,
    next_action: "start",
    blocker: null,
    last_update: now,
  }).place();
  stageCompatJson(cx.stateRoot, name, "config.json", config).place();
  appendCompatEvent(cx.stateRoot, name, { time: now, type: "create", cwd, tmux_session: tmuxSession });
  const { paneId, started } = await openPlainSession(
    cx,
    under,
    agent,
    {
      model: request.model,
      effort: request.effort,
      session: tmuxSession,
      cwd,
      flags: [],
      prompt: request.sendContract ? contract : null,
      wish: request.wish,
    },
    terminal,
  );
  recordStarted(store, id, { tmuxSession, paneId, agent: agent.key, started });
  const { launch, launchWhy } = started;
  const worker = { agent, id, name, tmuxSession, paneId, launch, launchWhy, folder, store, config: { ...config, tmux_pane_id: paneId } };
  stageCompatJson(cx.stateRoot, name, "config.json", worker.config).place();
  return worker;
}

/** The text of the terminal; blank when it has just ended, which the next look at the panes tells. */
const seen = (cx: Context, worker: CreatedWorker, lines: number, styled: boolean): Promise<string> =>
  capturePane(cx.env, worker.paneId, lines, styled).catch((error: unknown) => {
    if (error instanceof Failure) return "";
    throw error;
  });

/**
 * The verdict of the contract, corrected by the page in front: an answered question may still stand above it, and a splash shows the same
 * words.
 */
function verdictOf({ label, screen }: Agent, history: string, page: string): { state: string; reason: string } {
  if (page === "folder_trust") return { state: "needs_trust", reason: `${label} asks whether to trust the folder` };
  const verdict = screen.startup(history);
  if (page === "working") return { state: "working", reason: `${label} is working` };
  if (OPEN_PAGES.includes(page)) return verdict.state === "needs_trust" ? { state: "ready", reason: `${label} shows its prompt` } : verdict;
  return verdict.state === "ready" ? { state: "starting", reason: `${label} shows no prompt yet` } : verdict;
}

/** Looks at the screen until it says ready, working or what it waits for, or the time is over; the verdict is kept in config.json. */
export async function waitReady(
  cx: Context,
  under: Undertaking,
  worker: CreatedWorker,
  options: { seconds: number; acceptTrust: boolean },
): Promise<Startup> {
  const deadline = performance.now() + options.seconds * 1000;
  let answered = Number.NEGATIVE_INFINITY;
  let readySince = Number.POSITIVE_INFINITY;
  let verdict: { state: string; reason: string };
  for (;;) {
    const pane = (await listPanes(cx.env)).find((each) => each.paneId === worker.paneId);
    if (pane === undefined) {
      verdict = { state: "exited", reason: "the terminal has ended" };
      break;
    }
    const [history, screen] = await Promise.all([seen(cx, worker, 80, false), seen(cx, worker, 0, true)]);
    const shown = worker.agent.screen.read(screen, pane.mode);
    verdict = verdictOf(worker.agent, history, shown.page);
    if (verdict.state === "working" || (verdict.state === "needs_trust" && !options.acceptTrust)) break;
    // The prompt shows for a moment before a page that asks something covers it: only one that stays is ready.
    readySince = verdict.state === "ready" ? Math.min(readySince, performance.now()) : Number.POSITIVE_INFINITY;
    if (performance.now() - readySince >= SETTLED_MS) break;
    // A page that has only just appeared swallows the key: while it is recognised, it is answered again.
    const yes = shown.accept;
    if (yes !== null && performance.now() - answered > 1000) {
      if (answered === Number.NEGATIVE_INFINITY) appendCompatEvent(cx.stateRoot, worker.name, { time: cx.now(), type: "accept_trust" });
      answered = performance.now();
      await pressAnswer(cx, pane, yes);
    }
    if (performance.now() >= deadline) break;
    await under.pause(LOOK_MS);
  }
  const startup = { ...verdict, action: ACTIONS[verdict.state] ?? "inspect_terminal" };
  const now = cx.now();
  stageCompatJson(cx.stateRoot, worker.name, "config.json", {
    ...worker.config,
    startup: startup.state,
    startup_reason: startup.reason,
    startup_checked_at: now,
    startup_recommended_action: startup.action,
  }).place();
  appendCompatEvent(cx.stateRoot, worker.name, { time: now, type: "wait_ready", startup: startup.state, reason: startup.reason });
  return startup;
}

/** What the worker has reported so far, in its file and in the records. */
const reported = (cx: Context, worker: CreatedWorker): string =>
  `${readCompatText(cx.stateRoot, worker.name, "status.json")}\n${latestStatus(worker.store, worker.name)?.last_update}`;

/** Waits until the worker has reported a status by itself, in its file or through update-status. */
export async function verify(
  cx: Context,
  under: Undertaking,
  worker: CreatedWorker,
  first: string,
  seconds: number,
): Promise<{ ok: boolean; reason: string }> {
  const deadline = performance.now() + seconds * 1000;
  let verdict = { ok: false, reason: `no status was reported within ${seconds} s` };
  for (;;) {
    if (reported(cx, worker) !== first) {
      verdict = { ok: true, reason: "the worker reported a status" };
      break;
    }
    if (!(await hasSession(cx.env, worker.tmuxSession))) {
      verdict = { ok: false, reason: "the terminal has ended" };
      break;
    }
    if (performance.now() >= deadline) break;
    await under.pause(LOOK_MS);
  }
  appendCompatEvent(cx.stateRoot, worker.name, { time: cx.now(), type: "verify", ...verdict });
  return verdict;
}

/** The state against which {@link verify} compares; ask for it right after the worker was made. */
export const firstReport = reported;

/** Ends the terminal of a worker that was only to be tried. @throws Failure when it could not be ended */
export async function stopWorker(cx: Context, { name, tmuxSession, paneId, ...worker }: CreatedWorker): Promise<void> {
  const terminal = await lookAtTerminal(cx, { name, tmuxSession, paneId, since: String(worker.config.created_at) });
  await endTerminal(cx, terminal);
  recordStopped(worker.store, worker.id, "stop_after");
  appendCompatEvent(cx.stateRoot, name, { time: cx.now(), type: "stop", killed_session: terminal.pane !== null, reason: "stop_after" });
}
