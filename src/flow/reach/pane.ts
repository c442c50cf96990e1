/** The terminal of a worker or session: which pane it is, and what stands on it. */
import type { Context } from "../../context.ts";
import type { Agent } from "../../core/agent/agent.ts";
import type { PageName, Screen } from "../../core/agent/screen.ts";
import { Failure } from "../../core/failure.ts";
import { instant } from "../../core/time.ts";
import { sessionLine } from "../../system/agent/kinship.ts";
import { alive, listProcesses } from "../../system/processes/processes.ts";
import { press, sendReturn } from "../../system/terminal/keys.ts";
import { capturePane, listPanes, type Pane } from "../../system/terminal/panes.ts";
import { isPaneId } from "../../system/terminal/tmux.ts";

/** Where a worker or session is on record. The pane is its address, wherever it is now; the name of its tmux session is a hint. */
export interface Place {
  readonly name: string;
  readonly tmuxSession: string | null;
  /** Absent: the pane that its process lives in, else the active one of the tmux session. */
  readonly paneId: string | null;
  /** Its process. */
  readonly pid?: number | null;
  /** When it was first put on record. */
  readonly since?: string | null;
}

/** `no_tmux`: none is recorded; `missing`: nothing of it is there; `moved`: the recorded pane is somewhere else, or not shown to be its. */
export type Placed =
  { readonly pane: Pane } | { readonly pane: null; readonly why: "no_tmux" | "missing" | "moved"; readonly reason: string };

/** The pane by its id, in the tmux session on record if it stands in several. */
function addressed(panes: readonly Pane[], tmuxSession: string, paneId: string): Pane | undefined {
  const same = panes.filter((pane) => pane.paneId === paneId);
  return same.find((pane) => pane.session === tmuxSession) ?? same[0];
}

/**
 * Finds the pane among those of the server. Session names are compared exactly. A recorded pane that stands in another tmux session by now
 * must be shown to be the same: by the process on record, or by a server that has run since before the record.
 * @param line the process on record and its parents; empty when they are not known
 */
function placeAmong(panes: readonly Pane[], { name, tmuxSession, paneId, since }: Place, line: readonly number[]): Placed {
  const who = JSON.stringify(name);
  if (tmuxSession === null) return { pane: null, why: "no_tmux", reason: `${who} has no tmux session` };
  const named = panes.filter((pane) => pane.session === tmuxSession);
  const homes = panes.filter((pane) => line.includes(pane.pid));
  const home = homes.find((pane) => pane.session === tmuxSession) ?? homes[0];
  const address = isPaneId(tmuxSession) ? tmuxSession : paneId;
  const pane = address === null ? undefined : addressed(panes, tmuxSession, address);
  if (pane !== undefined) {
    const sameServer = pane.serverStartedAt <= (instant(since ?? null) ?? Number.NEGATIVE_INFINITY);
    const isIts = home === undefined ? sameServer : home.paneId === pane.paneId;
    if (isPaneId(tmuxSession) || pane.session === tmuxSession || isIts) return { pane };
  } else if (home !== undefined) return { pane: home };
  else if (address === null && named.length > 0) return { pane: named.find((each) => each.current) ?? named[0]! };
  if (named.length === 0)
    return { pane: null, why: "missing", reason: `tmux session ${JSON.stringify(tmuxSession)} of ${who} is not running` };
  return { pane: null, why: "moved", reason: `pane ${address} recorded for ${who} is not in tmux session ${JSON.stringify(tmuxSession)}` };
}

/** Finds the pane of a place among those of the server; processes are looked at only when the names alone do not tell. */
export async function placeIn(cx: Context, panes: readonly Pane[], place: Place): Promise<Placed> {
  const { tmuxSession, paneId, pid } = place;
  const plain =
    tmuxSession === null ||
    isPaneId(tmuxSession) ||
    (paneId !== null && panes.some((pane) => pane.paneId === paneId && pane.session === tmuxSession));
  if (plain || pid == null || !alive(pid)) return placeAmong(panes, place, []);
  return placeAmong(panes, place, await sessionLine(pid, (await listProcesses(cx.env)) ?? [], cx.env));
}

/** As {@link placeIn}, asking tmux only when a session is recorded. @throws Failure when tmux is absent or denied */
export const findPlace = async (cx: Context, place: Place): Promise<Placed> =>
  placeIn(cx, place.tmuxSession === null ? [] : await listPanes(cx.env), place);

/** @throws Failure saying why there is no such pane */
export async function needPane(cx: Context, place: Place): Promise<Pane> {
  const placed = await findPlace(cx, place);
  if (placed.pane) return placed.pane;
  throw unplaced(cx, placed);
}

/** The tmux session that shows a place: that of its pane, else the one on record. @throws Failure saying why there is none */
export async function needShown(cx: Context, place: Place): Promise<string> {
  const placed = await findPlace(cx, place);
  return (placed.pane ?? (await needPane(cx, { ...place, paneId: null }))).session;
}

const unplaced = (cx: Context, placed: Placed & { readonly pane: null }): Failure =>
  new Failure(placed.reason, {
    hint: placed.why === "missing" ? `tmux list-sessions; ${cx.program} reconcile` : `${cx.program} sessions --state all`,
  });

/** Presses the keys that answer a page, one after the other. Enter has a way of its own: some releases of tmux drop it as a named key. */
export async function pressAnswer(cx: Context, pane: Pane, keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    if (key === "Enter") await sendReturn(cx.env, pane.paneId);
    else await press(cx.env, { pane, cursor: false }, key);
  }
}

export interface PaneView {
  readonly pane: Pane;
  /** History and screen, newlines at the end kept. */
  readonly text: string;
  /** The page in front. */
  readonly page: PageName;
  readonly screen: Screen;
}

/** Reads the pane with `lines` of history. Two looks: the screen alone keeps its styles, which tell a hint from a draft. */
export async function viewPane(cx: Context, agent: Agent, pane: Pane, lines: number): Promise<PaneView> {
  const [text, styled] = await Promise.all([capturePane(cx.env, pane.paneId, lines), capturePane(cx.env, pane.paneId, 0, true)]);
  const screen = agent.screen.read(styled, pane.mode);
  return { pane, text, page: screen.page, screen };
}
