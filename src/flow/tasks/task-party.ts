/** The parties of a task at their terminals: who they are, whether a terminal is theirs, and ending it. */
import type { Context } from "../../context.ts";
import { codex } from "../../core/agent/agent.ts";
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
import { sessionLine } from "../../system/kinship.ts";
import { listProcesses } from "../../system/processes/processes.ts";
import { listPanes, type Pane } from "../../system/terminal/panes.ts";
import { hasSession, killPane, killSession } from "../../system/terminal/sessions.ts";
import { isPaneId } from "../../system/terminal/tmux.ts";
import { placeAmong } from "../reach/pane.ts";

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

/** A party that is to be stopped: with its pane, or without one, because nothing of it runs. */
export interface Target {
  readonly party: TaskParty;
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
  return parties.map((party): Target => {
    const absent = { party, pane: null, endedBefore: false };
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
    const placed = placeAmong(panes, { name: party.name, tmuxSession: party.tmuxSession, paneId: party.paneId });
    if (placed.pane) return { party, pane: placed.pane, endedBefore: false };
    if (placed.why === "missing" && options.interrupted.has(party.role)) return { ...absent, endedBefore: true };
    if (placed.why === "missing" && options.tolerant) return absent;
    throw new Failure(`${party.role} ${JSON.stringify(party.name)} is not stopped: ${placed.reason}`, {
      hint:
        placed.why === "missing"
          ? `leave --stop-${party.role} out, or mark it as gone first: ${cx.program} reconcile --apply`
          : `${cx.program} sessions --state all`,
    });
  });
}

/** The targets in the order in which they are ended: the terminal that this process lives in comes last. */
export async function ownTerminalLast(cx: Context, targets: readonly Target[]): Promise<Target[]> {
  const above = await sessionLine(codex, process.pid, (await listProcesses(cx.env)) ?? [], cx.env);
  const isOwn = ({ pane }: Target): boolean => pane !== null && above.includes(pane.pid);
  return [...targets.filter((target) => !isOwn(target)), ...targets.filter(isOwn)];
}

/** Ends the terminal of a verified target. @throws Failure when it is still there afterwards */
export async function endTerminal(cx: Context, party: TaskParty): Promise<void> {
  const name = party.tmuxSession!;
  const ended = isPaneId(name) ? await killPane(cx.env, name) : await killSession(cx.env, name);
  // The tmux command itself dies without an answer when it ended the terminal it was called from.
  if (!ended && (await hasSession(cx.env, name))) {
    throw new Failure(`tmux session ${JSON.stringify(name)} of ${party.role} ${JSON.stringify(party.name)} could not be ended`, {
      hint: "tmux list-sessions",
    });
  }
}
