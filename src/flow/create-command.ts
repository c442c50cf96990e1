/** What `create` and `start-test` share: their flags, and the way from the flags to the report. */
import { choice, flag, integer, pathFlag, text } from "../args/spec.ts";
import type { Context } from "../context.ts";
import { Failure, UsageError } from "../core/failure.ts";
import { TERMINALS, type TerminalChoice } from "../system/terminal.ts";
import { type CreatedWorker, createWorker, firstReport, stopWorker, verify, waitReady } from "./create-worker.ts";
import { openPlace } from "./open.ts";

/** The flags of both commands; create has more. */
export const createFlags = {
  cwd: text("folder in which it works; else the current one", { value: "FOLDER" }),
  task: text("what it is to do", { value: "TEXT" }),
  reuse: flag("take over a worker of this name that no longer runs"),
  acceptTrust: flag("answer Codex's question whether to trust the folder with yes"),
  waitReadyTimeout: integer("how long to wait until Codex is ready", { default: 30, min: 1, value: "SECONDS" }),
  verifyTimeout: integer("how long to wait for its first report", { default: 60, min: 1, value: "SECONDS" }),
  open: flag("open a terminal window on it"),
  forceOpen: flag("open a window also when one was opened before"),
  terminal: choice("which terminal program", TERMINALS, { default: "auto" }),
  stopAfter: flag("end its terminal when everything else is done"),
  path: pathFlag,
};

export interface CreateInput {
  readonly name: string;
  readonly cwd: string | undefined;
  readonly task: string | undefined;
  readonly reuse: boolean;
  readonly sendContract: boolean;
  readonly acceptTrust: boolean;
  readonly waitReady: boolean;
  readonly waitReadyTimeout: number;
  readonly verify: boolean;
  readonly verifyTimeout: number;
  readonly open: boolean;
  readonly forceOpen: boolean;
  readonly terminal: TerminalChoice;
  readonly stopAfter: boolean;
  readonly path: string | undefined;
}

/** The whole command; what was asked for in vain is said, and is no failure. */
export async function runCreate(cx: Context, input: CreateInput): Promise<void> {
  if (input.open && input.stopAfter) throw new UsageError("--open and --stop-after exclude each other: the window would show nothing");
  const worker = await createWorker(cx, { ...input, cwd: cx.path(input.cwd ?? cx.cwd) });
  const before = firstReport(cx, worker);
  cx.out(`worker: ${worker.name}`);
  cx.out(`tmux session: ${worker.tmuxSession}`);
  cx.out(`state directory: ${worker.folder}`);
  if (input.waitReady) {
    const startup = await waitReady(cx, worker, { seconds: input.waitReadyTimeout, acceptTrust: input.acceptTrust });
    cx.out(`startup: ${startup.state} (${startup.reason}; recommended: ${startup.action})`);
  } else cx.out("startup: launched (not waited for)");
  if (input.verify) {
    const result = await verify(cx, worker, before, input.verifyTimeout);
    cx.out(`verification: ${result.ok ? "ok" : "not verified"} (${result.reason})`);
  } else cx.out("verification: not asked for");
  if (input.open) await openWindow(cx, worker, input.terminal);
  if (input.stopAfter) {
    await stopWorker(cx, worker);
    cx.out("stopped: its terminal was ended (--stop-after)");
    return;
  }
  cx.out(`attach: tmux attach -t ${worker.tmuxSession}`);
  cx.out(`stop: ${cx.program} stop ${worker.name}`);
}

/** The worker was made before this: a window that cannot be opened is a warning. */
async function openWindow(cx: Context, worker: CreatedWorker, terminal: TerminalChoice): Promise<void> {
  try {
    await openPlace(cx, { name: worker.name, tmuxSession: worker.tmuxSession, paneId: null }, { terminal, dryRun: false });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    cx.err(`warning: ${error.message}`);
  }
}
