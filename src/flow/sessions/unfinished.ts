/** Starts that were cut off: what is left of one, whether it can be gone on with, and ending it. */
import type { Context } from "../../context.ts";
import type { Agent, ModelChoice } from "../../core/agent/agent.ts";
import { Failure } from "../../core/failure.ts";
import type { Role, Session } from "../../core/sessions/session.ts";
import { bindingsOfSession } from "../../store/sessions/bindings.ts";
import { findSession, sessionById } from "../../store/sessions/sessions.ts";
import { endStart, findStart, listStarts, takeUpStart, type UnfinishedStart } from "../../store/sessions/unfinished-starts.ts";
import type { Store } from "../../store/store.ts";
import { sha256 } from "../../system/files/digest.ts";
import { isGone, thisHolder } from "../../system/processes/holder.ts";
import { alive } from "../../system/processes/processes.ts";
import { type Pane, paneOfStart } from "../../system/terminal/panes.ts";
import { endTerminal, lookAtTerminal } from "../reach/end-terminal.ts";
import { nextCommand } from "../reach/next-command.ts";
import type { Scene } from "../scene.ts";

/** What is asked for now. @param prompt absent: not known yet, and not compared */
export interface WantedStart extends ModelChoice {
  readonly agent: Agent;
  readonly role: Role;
  readonly cwd: string;
  readonly sandbox: string;
  readonly approval: string;
  readonly permissionMode: string | null;
  readonly prompt?: string | null;
  /** The thread to go on with; null: a new one. */
  readonly resume: string | null;
  /** The bindings in which the session may stand. */
  readonly bindings: readonly string[];
}

/** What a start that was cut off has left running: a session on record, or a terminal that waits to be put there. */
export type LeftBehind =
  | { readonly start: UnfinishedStart; readonly session: Session }
  | { readonly start: UnfinishedStart; readonly session: null; readonly pane: Pane };

/** As what it is started, apart from its first words. */
export function requestDigest({ agent, role, cwd, sandbox, approval, permissionMode, model, effort, resume }: WantedStart): string {
  const more = [permissionMode, resume].filter((word) => word !== null);
  return sha256(JSON.stringify([agent.key, role, cwd, sandbox, approval, model, effort, ...more]));
}

export const promptDigest = (prompt: string | null): string => sha256(JSON.stringify(prompt));

type Hold = "here" | "nobody" | "unknown";

/** Whether somebody is at the start; `unknown`: another machine, or this one before it was started anew. */
async function holdOf(cx: Context, { holder }: UnfinishedStart): Promise<Hold> {
  if (holder === null || (await isGone(holder, cx.env))) return "nobody";
  return holder.world === (await thisHolder(cx.env))?.world ? "here" : "unknown";
}

/** The session that it has put on record, while that is active. Another of its name may have come to be since: then it is nobody's. */
function registeredBy(store: Store, { name, session_id }: UnfinishedStart): Session | null | "another" {
  const known = findSession(store, name);
  if (session_id === null) return known?.state === "active" ? "another" : null;
  const session = sessionById(store, session_id);
  return session?.state === "active" ? session : "another";
}

/**
 * What the start on record under this name has left, when that is what is asked for now.
 * @returns null when nothing is left that this could go on with
 * @throws Failure when the start is under way, or when what it left is not what is asked for
 */
export async function leftBehind({ cx, store }: Scene, start: UnfinishedStart | null, launch: WantedStart): Promise<LeftBehind | null> {
  if (start === null) return null;
  const hold = await notUnderWay(cx, start);
  const session = registeredBy(store, start);
  if (session === "another") return null;
  const pane = await paneOfStart(cx.env, start.mark);
  const same =
    start.request_sha256 === requestDigest(launch) && (launch.prompt === undefined || start.prompt_sha256 === promptDigest(launch.prompt));
  if (session !== null) {
    const runs = hold === "unknown" ? pane !== null : session.pid !== null && alive(session.pid);
    const isOwn = bindingsOfSession(store, session.id).every(({ id }) => launch.bindings.includes(id));
    return same && runs && isOwn ? { start, session } : null;
  }
  if (pane === null) return null;
  if (same && hold === "nobody") return { start, session, pane };
  throw leftTerminal({ cx, store }, start, pane, ", and asked for something else");
}

/** @throws Failure when somebody is at the start right now */
async function notUnderWay(cx: Context, start: UnfinishedStart): Promise<Hold> {
  const hold = await holdOf(cx, start);
  if (hold !== "here") return hold;
  throw new Failure(`session ${JSON.stringify(start.name)} is being started already, by process ${start.holder!.pid}`, {
    hint: `wait for it, or have it end what it began: kill ${start.holder!.pid}`,
  });
}

const leftTerminal = ({ cx, store }: Scene, { name }: UnfinishedStart, pane: Pane, more = ""): Failure =>
  new Failure(`tmux session ${JSON.stringify(pane.session)} was left by a start of ${JSON.stringify(name)} that was cut off${more}`, {
    hint: `end it first: ${nextCommand(cx, store, "stop", name)}`,
  });

/**
 * The start on record under this name, of one that cannot be gone on with; null when there is none.
 * @throws Failure when it is under way, or has left a terminal
 */
export async function nothingLeft(scene: Scene, name: string): Promise<UnfinishedStart | null> {
  const start = findStart(scene.store, name);
  if (start === null) return null;
  await notUnderWay(scene.cx, start);
  const pane = await paneOfStart(scene.cx.env, start.mark);
  if (pane !== null) throw leftTerminal(scene, start, pane);
  return start;
}

/** This process is at it from now on. @throws Failure when somebody else was quicker */
export async function takeUp({ cx, store }: Scene, start: UnfinishedStart): Promise<void> {
  if (takeUpStart(store, start, await thisHolder(cx.env))) return;
  throw new Failure(`the start of session ${JSON.stringify(start.name)} that was cut off is gone on with by somebody else`, {
    hint: nextCommand(cx, store, "reconcile"),
  });
}

/** The start of this name that has put no session on record, or null. */
export function strayNamed(store: Store, name: string): UnfinishedStart | null {
  const start = findStart(store, name);
  return start !== null && registeredBy(store, start) === null ? start : null;
}

/** A start that nobody is at, and whose terminal runs, on nobody's record. */
export interface Stray {
  readonly name: string;
  readonly role: string;
  readonly tmux_session: string;
  readonly began_at: string;
  readonly pid: number;
}

/** All of these; for a report. */
export async function strays(cx: Context, store: Store): Promise<Stray[]> {
  const found: Stray[] = [];
  for (const start of listStarts(store)) {
    if (registeredBy(store, start) !== null || (await holdOf(cx, start)) === "here") continue;
    const pane = await paneOfStart(cx.env, start.mark).catch((error: unknown) => {
      if (error instanceof Failure) return null;
      throw error;
    });
    const { name, role, tmux_session, began_at } = start;
    if (pane !== null) found.push({ name, role, tmux_session, began_at, pid: pane.pid });
  }
  return found;
}

/**
 * Ends what a start that was cut off has left running, and takes the start off the record.
 * @returns whether anything ran
 * @throws Failure when the start is under way, or the terminal could not be ended; nothing is recorded then
 */
export async function endStray({ cx, store }: Scene, start: UnfinishedStart): Promise<boolean> {
  const { name, mark } = start;
  if ((await holdOf(cx, start)) === "here")
    throw new Failure(`session ${JSON.stringify(name)} is just being started, by process ${start.holder!.pid}`, {
      hint: `have it end what it began: kill ${start.holder!.pid}`,
    });
  const pane = await paneOfStart(cx.env, mark);
  if (pane !== null) await endTerminal(cx, await lookAtTerminal(cx, { name, tmuxSession: pane.session, paneId: pane.paneId }));
  endStart(store, start, { killed: pane !== null, reason: "stop" });
  return pane !== null;
}
