/** What `create` and `start-test` share: their flags, and the way from the flags to the report. */
import { choice, flag, integer, pathFlag, text } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { chosenAgent } from "../../core/agent/agents.ts";
import { Failure, UsageError } from "../../core/failure.ts";
import { TERMINALS, type TerminalChoice } from "../../system/terminal/terminal.ts";
import { type CreatedWorker, createWorker, firstReport, stopWorker, verify, waitReady } from "./create-worker.ts";
import { openPlace } from "../sessions/open.ts";
import { type AgentInput, agentFlags, launchFlag } from "../sessions/start-session.ts";
import { launchWish } from "../sessions/way-of-launch.ts";
import { type Undertaking, undertake } from "../sessions/undertaking.ts";

/** The flags of both commands; create has more. */
export const createFlags = {
  ...agentFlags,
  launch: launchFlag,
  cwd: text("folder in which it works; else the current one", { value: "FOLDER" }),
  task: text("what it is to do", { value: "TEXT" }),
  reuse: flag("take over a worker of this name that no longer runs"),
  acceptTrust: flag("answer the agent's question whether to trust the folder with yes"),
  waitReadyTimeout: integer("how long to wait until the agent is ready", { default: 30, min: 1, value: "SECONDS" }),
  verifyTimeout: integer("how long to wait for its first report", { default: 60, min: 1, value: "SECONDS" }),
  open: flag("open a terminal window on it"),
  forceOpen: flag("open a window also when one was opened before"),
  terminal: choice("which terminal program", TERMINALS, { default: "auto" }),
  stopAfter: flag("end its terminal when everything else is done"),
  json: flag("print JSON, when all is done"),
  path: pathFlag,
};

interface CreateInput extends AgentInput {
  readonly name: string;
  readonly launch: string | undefined;
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
  readonly json: boolean;
  readonly path: string | undefined;
}

/** The whole command; what was asked for in vain is said, and is no failure. */
export async function runCreate(cx: Context, input: CreateInput): Promise<void> {
  if (input.open && input.stopAfter) throw new UsageError("--open and --stop-after exclude each other: the window would show nothing");
  const made = await undertake(cx, (under) => create(cx, under, input));
  if (input.json) cx.json(made);
}

async function create(cx: Context, under: Undertaking, input: CreateInput): Promise<Record<string, unknown>> {
  const worker = await createWorker(cx, under, {
    ...input,
    agent: chosenAgent(cx.env, input.agent),
    model: input.model ?? null,
    effort: input.effort ?? null,
    wish: launchWish(cx, input.launch),
    cwd: cx.path(input.cwd ?? cx.cwd),
  });
  const before = firstReport(cx, worker);
  const attach = `tmux attach -t ${worker.tmuxSession}`;
  const stop = `${cx.program} stop ${worker.name}`;
  const say = (line: string): void => {
    if (!input.json) cx.out(line);
  };
  say(`worker: ${worker.name}`);
  say(`tmux session: ${worker.tmuxSession}`);
  say(`state directory: ${worker.folder}`);
  say(`launch: ${worker.launch}${worker.launchWhy === null ? "" : ` (${worker.launchWhy})`}`);
  const startup = input.waitReady
    ? await waitReady(cx, under, worker, { seconds: input.waitReadyTimeout, acceptTrust: input.acceptTrust })
    : null;
  say(
    `startup: ${startup === null ? "launched (not waited for)" : `${startup.state} (${startup.reason}; recommended: ${startup.action})`}`,
  );
  const verified = input.verify ? await verify(cx, under, worker, before, input.verifyTimeout) : null;
  say(`verification: ${verified === null ? "not asked for" : `${verified.ok ? "ok" : "not verified"} (${verified.reason})`}`);
  if (input.open) await openWindow(cx, worker, input.terminal);
  say(`attach: ${attach}`);
  say(`stop: ${stop}`);
  if (input.stopAfter) {
    await stopWorker(cx, worker);
    say("stopped: its terminal was ended (--stop-after)");
  }
  return {
    name: worker.name,
    tmux_session: worker.tmuxSession,
    state_dir: worker.folder,
    launch: worker.launch,
    launch_why: worker.launchWhy,
    startup: startup?.state ?? "launched",
    startup_reason: startup?.reason ?? null,
    startup_recommended_action: startup?.action ?? null,
    verification: verified,
    attach_command: attach,
    stop_command: stop,
    stopped: input.stopAfter,
  };
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
