/** The parties of a task at their terminals: who they are, whether a terminal is theirs, and ending it. */
import type { Context } from "../../context.ts";
import { Failure } from "../../core/failure.ts";
import type { Role } from "../../core/sessions/session.ts";
import { quoteWord } from "../../core/shell.ts";
import type { Task } from "../../core/tasks/task.ts";
import { isOnRecord, type TaskParties, type TaskParty } from "../../core/tasks/task-party.ts";
import { type Binding, bindingOfSession, latestBinding, openBinding } from "../../store/sessions/bindings.ts";
import { sessionById } from "../../store/sessions/sessions.ts";
import type { Store } from "../../store/store.ts";
import { taskById } from "../../store/tasks/tasks.ts";
import { transcriptSource } from "../../store/observe/transcript-sources.ts";
import { sessionSubject } from "../reach/subject.ts";
import { listPanes, type Pane } from "../../system/terminal/panes.ts";
import { lookAtTerminal, type Terminal } from "../reach/end-terminal.ts";

function partyOf(store: Store, taskId: string, binding: Binding | null, role: Role): TaskParty | null {
  const id = role === "worker" ? binding?.worker_session_id : binding?.manager_session_id;
  const session = id ? sessionById(store, id) : null;
  if (session)
    return {
      role,
      id: session.id,
      name: session.name,
      state: session.state,
      tmuxSession: session.tmux_session || null,
      paneId: session.tmux_pane_id,
      session,
    };
  const older = transcriptSource(store, taskId, role);
  return older && older.kind !== "session"
    ? {
        role,
        id: older.id,
        name: older.name,
        state: older.state,
        tmuxSession: older.tmux_session,
        paneId: older.tmux_pane_id,
        session: null,
      }
    : null;
}

/** Who works on the task now; `ended`: also who worked on it last. */
export function taskParties(store: Store, taskId: string, ended: boolean): TaskParties {
  const binding = ended ? latestBinding(store, taskId) : openBinding(store, taskId);
  return { worker: partyOf(store, taskId, binding, "worker"), manager: partyOf(store, taskId, binding, "manager") };
}

/** A party that is to be stopped, with its terminal; null: none is on record, or it counts as over. */
export interface Target {
  readonly party: TaskParty;
  readonly terminal: Terminal | null;
  /** Its pane; null, because nothing of it runs, or only its process. */
  readonly pane: Pane | null;
  /** Its terminal was ended by an earlier call that died before it could say so. */
  readonly endedBefore: boolean;
}

/**
 * Makes sure that every terminal to be ended is the one on record, before the first is touched.
 * @param options.tolerant a terminal that is not there any more is fine; @param options.interrupted roles that an interrupted call was
 * stopping
 * @throws Failure naming the first party that is not what the records say
 */
export async function verifyTargets(
  cx: Context,
  store: Store,
  task: Task,
  parties: readonly TaskParty[],
  options: { tolerant: boolean; interrupted: ReadonlySet<Role> },
): Promise<Target[]> {
  const panes = parties.some((party) => party.tmuxSession !== null) ? await listPanes(cx.env) : [];
  const targets: Target[] = [];
  for (const party of parties) targets.push(await verified(cx, store, task, party, panes, options));
  return targets;
}

async function verified(
  cx: Context,
  store: Store,
  task: Task,
  party: TaskParty,
  panes: readonly Pane[],
  options: { tolerant: boolean; interrupted: ReadonlySet<Role> },
): Promise<Target> {
  const absent = { party, terminal: null, pane: null, endedBefore: false };
  if (!isOnRecord(party) || party.tmuxSession === null) return absent;
  const elsewhere = party.session && bindingOfSession(store, party.session.id);
  if (elsewhere && elsewhere.task_id !== task.id) {
    const other = taskById(store, elsewhere.task_id)?.name ?? elsewhere.task_id;
    throw new Failure(
      `${party.role} ${JSON.stringify(party.name)} works on task ${JSON.stringify(other)} now and is not stopped for ` +
        `${JSON.stringify(task.name)}`,
      { hint: `${cx.program} stop-task ${quoteWord(other)}` },
    );
  }
  const place = party.session ? sessionSubject(party.session) : party;
  const terminal = await lookAtTerminal(cx, place, panes);
  if (terminal.pane) return { party, terminal, pane: terminal.pane, endedBefore: false };
  // The pane was ended by the call that died, and its agent has not taken that for an end: it still is to be ended.
  const begun = options.interrupted.has(party.role);
  if (terminal.why === "elsewhere" && begun) return { party, terminal, pane: null, endedBefore: true };
  if (terminal.why === "missing" && begun) return { ...absent, endedBefore: true };
  if (terminal.why === "missing" && options.tolerant) return absent;
  const over = terminal.why === "missing" || terminal.why === "another";
  throw new Failure(`${party.role} ${JSON.stringify(party.name)} is not stopped: ${terminal.reason}`, {
    hint: over
      ? `leave --stop-${party.role} out, or mark it as gone first: ${cx.program} reconcile --apply`
      : `${cx.program} sessions --state all`,
  });
}

/** The targets in the order in which they are ended: the terminal that this process lives in comes last. */
export const ownTerminalLast = (targets: readonly Target[]): Target[] => [
  ...targets.filter(({ terminal }) => !terminal?.own),
  ...targets.filter(({ terminal }) => terminal?.own),
];
