/** Opening a terminal window on the tmux session of a worker, a session, or a side of a task. */
import { choice, flag, jsonFlag, pathFlag } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { Failure } from "../../core/failure.ts";
import type { Role } from "../../core/sessions/session.ts";
import { quoteCommand } from "../../core/shell.ts";
import { needPairing } from "../../store/sessions/bindings.ts";
import { needTask } from "../../store/tasks/tasks.ts";
import { attachWords, openWindow, TERMINALS, type TerminalChoice, type Window, windowFor } from "../../system/terminal/terminal.ts";
import { needShown, type Place } from "../reach/pane.ts";
import { sessionSubject } from "../reach/subject.ts";

/** The flags of the commands that open a window. */
export const openFlags = {
  terminal: choice("which terminal program; auto takes what is installed ($TERMINAL first, on Linux)", TERMINALS, { default: "auto" }),
  dryRun: flag("start nothing"),
  json: jsonFlag,
  path: pathFlag,
};

interface OpenOptions {
  readonly terminal: TerminalChoice;
  readonly dryRun: boolean;
}

interface Opening {
  readonly attach_command: string;
  readonly dry_run: boolean;
  readonly terminal: Window["terminal"];
  readonly tmux_session: string;
  /** Only in a dry run. */
  readonly command?: readonly string[];
}

/**
 * Opens a window, or says how it would be opened.
 * @param around called with the launch, to record it
 * @throws Failure when the terminal does not run or no window can be opened
 */
export async function openPlace(
  cx: Context,
  place: Place,
  options: OpenOptions,
  around: (launch: () => Promise<void>, window: Window) => Promise<void> = (launch) => launch(),
): Promise<Opening> {
  const session = await needShown(cx, place);
  const window = windowFor(cx.env, options.terminal, session);
  if (!options.dryRun) await around(() => openWindow(cx.env, window, session), window);
  return {
    attach_command: quoteCommand(attachWords(cx.env, session)),
    dry_run: options.dryRun,
    terminal: window.terminal,
    tmux_session: session,
    ...(options.dryRun ? { command: window.command } : {}),
  };
}

/** The result of open-worker and open-manager. */
export async function openSide(
  cx: Context,
  role: Role,
  args: { task: string; path: string | undefined; terminal: TerminalChoice; dryRun: boolean },
): Promise<Record<string, unknown>> {
  const store = cx.store(args.path);
  const task = needTask(store, args.task);
  const session = needPairing(store, task)[role];
  if (!session.tmux_session)
    throw new Failure(`${role} ${JSON.stringify(session.name)} of task ${JSON.stringify(task.name)} has no tmux session to open`, {
      hint: `${cx.program} sessions`,
    });
  return { ...(await openPlace(cx, sessionSubject(session), args)), task: args.task, [role]: session.name };
}
