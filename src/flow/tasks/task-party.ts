/** The parties of a task at their terminals: who they are, whether a terminal is theirs, and ending it. */
import { Failure } from "../../core/failure.ts";
import type { Role } from "../../core/sessions/session.ts";
import { quoteWord } from "../../core/shell.ts";
import { isOnRecord, type TaskParties, type TaskParty } from "../../core/tasks/task-party.ts";
import { type Binding, bindingsOfSession, latestBinding, openBinding, tasksIn } from "../../store/sessions/bindings.ts";
import { sessionById } from "../../store/sessions/sessions.ts";
import type { Store } from "../../store/store.ts";
import { taskById } from "../../store/tasks/tasks.ts";
import { transcriptSource } from "../../store/observe/transcript-sources.ts";
import { sessionSubject } from "../reach/subject.ts";
import { listPanes, type Pane } from "../../system/terminal/panes.ts";
import { lookAtTerminal, type Terminal } from "../reach/end-terminal.ts";
import type { TaskScene } from "../scene.ts";

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
  scene: TaskScene,
  parties: readonly TaskParty[],
  options: { tolerant: boolean; interrupted: ReadonlySet<Role> },
): Promise<Target[]> {
  const panes = parties.some((party) => party.tmuxSession !== null) ? await listPanes(scene.cx.env) : [];
  const targets: Target[] = [];
  for (const party of parties) targets.push(await verified(scene, party, panes, options));
  return targets;
}

/** @throws Failure when it is bound to other tasks, whose work would end with it */
export function refuseBusyElsewhere({ cx, store, task }: TaskScene, { role, name, session }: TaskParty): void {
  if (session === null) return;
  const bindings = bindingsOfSession(store, session.id);
  const others = bindings.filter(({ task_id }) => task_id !== task.id);
  const [first] = others;
  if (first === undefined) return;
  const doing = bindings.length > others.length ? `leads ${tasksIn(store, others)} too` : `works on ${tasksIn(store, others)} now`;
  const leaves = `leave --stop-manager out, or give it up with ${cx.program} stop-task ${quoteWord(task.name)} --keep-manager`;
  throw new Failure(`${role} ${JSON.stringify(name)} ${doing} and is not stopped for ${JSON.stringify(task.name)}`, {
    hint: role === "manager" ? leaves : `${cx.program} stop-task ${quoteWord(taskById(store, first.task_id)?.name ?? first.task_id)}`,
  });
}

async function verified(
  { cx, store, task }: TaskScene,
  party: TaskParty,
  panes: readonly Pane[],
  options: { tolerant: boolean; interrupted: ReadonlySet<Role> },
): Promise<Target> {
  const absent = { party, terminal: null, pane: null, endedBefore: false };
  if (!isOnRecord(party) || party.tmuxSession === null) return absent;
  refuseBusyElsewhere({ cx, store, task }, party);
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
