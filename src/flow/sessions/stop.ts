/** Ending the terminal of a worker or session, with a last word that can still be read. */
import { dirname } from "node:path";
import type { Context } from "../../context.ts";
import { agentOf } from "../../core/agent/agents.ts";
import { Failure } from "../../core/failure.ts";
import { quoteWord } from "../../core/shell.ts";
import { bindingsOfSession } from "../../store/sessions/bindings.ts";
import { addEvent } from "../../store/record/events.ts";
import { dropStartOf } from "../../store/sessions/unfinished-starts.ts";
import { markGone } from "../../store/sessions/sessions.ts";
import { type Store, tx } from "../../store/store.ts";
import { taskById } from "../../store/tasks/tasks.ts";
import { appendCompatEvent } from "../../system/compat-worker.ts";
import { deliver } from "../delivery/deliver.ts";
import { type Absence, endTerminal, lookAtTerminal } from "../reach/end-terminal.ts";
import { newestTurn } from "../reach/open-turn.ts";
import { recipientOfSubject } from "../reach/recipient.ts";
import { compatSubject, needSubject, type Subject } from "../reach/subject.ts";
import type { Scene } from "../scene.ts";
import { endStray, strayNamed } from "./unfinished.ts";
import { clearPlace, servedPlace } from "./served-place.ts";

/** How long a message may be worked on before its reader is ended. */
const READ_MS = 3000;

/** What became of a stop. */
interface Stopped {
  readonly name: string;
  readonly tmux_session: string;
  /** false: it was not running any more. */
  readonly killed_session: boolean;
  readonly message_sent: boolean;
}

/** With these nothing of the session runs any more; with the others that cannot be said, so nothing is ended or recorded. */
const OVER: readonly (Absence | null)[] = ["missing", "another"];

/**
 * Stops whoever has this name: a worker, a registered session, or what a start that was cut off has left.
 * @throws Failure as {@link stopSubject}, and when there is nobody of this name, or it is just being started
 */
export async function stopNamed({ cx, store }: Scene, name: string, message: string | null): Promise<Stopped> {
  const stray = compatSubject(cx.stateRoot, name) === null ? strayNamed(store, name) : null;
  if (stray === null) return stopSubject(cx, store, needSubject(cx, store, name), message);
  const killed = await endStray({ cx, store }, stray);
  if (message !== null) cx.err("warning: the message was not sent: nothing is on record of who would read it");
  return { name, tmux_session: stray.tmux_session, killed_session: killed, message_sent: false };
}

/**
 * Says the message, if there is one and somebody to hear it, ends the terminal and records both.
 * @throws Failure when there is no tmux session, nothing shows which terminal is meant, or it could not be ended; nothing is recorded then
 */
async function stopSubject(cx: Context, store: Store, subject: Subject, message: string | null): Promise<Stopped> {
  const { name, session, tmuxSession } = subject;
  if (tmuxSession === null)
    throw new Failure(`session ${JSON.stringify(name)} has no tmux session that could be ended`, {
      hint: `take it off the records: ${cx.program} deregister ${quoteWord(name)}`,
    });
  const terminal = await lookAtTerminal(cx, subject);
  // A server of its own that has outlived its pane runs all the same.
  const running = terminal.pane !== null || (OVER.includes(terminal.why) && terminal.servers.length > 0);
  if (!running && !OVER.includes(terminal.why)) {
    const [process] = terminal.processes;
    throw new Failure(`nothing was ended: ${terminal.reason}`, {
      hint: process === undefined ? `${cx.program} sessions --name ${quoteWord(name)}` : `end it where it runs: kill ${process.pid}`,
    });
  }
  if (terminal.why === "another") cx.err(`note: ${terminal.reason}; it was left alone`);
  const lookup = session === null ? {} : { lookup_source: "session", role: session.role, target: tmuxSession };
  const log = (type: string, facts: Record<string, unknown>) =>
    appendCompatEvent(cx.stateRoot, name, { time: cx.now(), type, ...facts, ...lookup });
  if (session !== null) warnBound(cx, store, session.id, name);
  const said = running && message !== null && (await say(cx, store, subject, message));
  if (said) {
    if (session === null) log("stop_message", { message });
    else
      addEvent(store, {
        type: "session_stop_message",
        payload: { role: session.role, session: name, target: tmuxSession, text_length: message.length },
      });
  }
  if (running) await endTerminal(cx, terminal.pane === null ? { ...terminal, processes: [] } : terminal);
  if (session?.socket) clearPlace(agentOf(session), servedPlace(dirname(session.socket)));
  if (session !== null) {
    tx(store, () => {
      markGone(store, session.id);
      addEvent(store, {
        type: "session_stopped",
        payload: { killed_session: running, role: session.role, session: name, target: tmuxSession },
      });
    });
  }
  if (session === null) dropStartOf(store, name);
  log("stop", { killed_session: running });
  return { name, tmux_session: tmuxSession, killed_session: running, message_sent: said };
}

/** Whether the message went out. What was typed is given a moment: a known agent ends its turn, anything else reads its line. */
async function say(cx: Context, store: Store, subject: Subject, message: string): Promise<boolean> {
  const recipient = recipientOfSubject(subject);
  const sent = await deliver(cx, store, { recipient, text: message, origin: "stop" });
  if (!sent.started) {
    cx.err(`warning: the message was not sent: ${sent.error}`);
    return false;
  }
  const end = performance.now() + (sent.proof === "seen" ? READ_MS : 300);
  const ended = (): boolean => ["completed", "failed"].includes(newestTurn(recipient.agent, recipient.rolloutPath) ?? "");
  while (performance.now() < end && !ended()) await Bun.sleep(50);
  return true;
}

function warnBound(cx: Context, store: Store, sessionId: string, name: string): void {
  for (const { task_id } of bindingsOfSession(store, sessionId)) {
    const task = taskById(store, task_id)?.name ?? task_id;
    cx.err(`warning: ${name} is still bound to task ${JSON.stringify(task)}; ${cx.program} unbind --task ${quoteWord(task)} ends that`);
  }
}
