/** The terminal of a worker or session: which pane it is, and what stands on it. */
import type { Context } from "../../context.ts";
import { type PageName, readScreen, type Screen } from "../../core/codex/screen.ts";
import { Failure } from "../../core/failure.ts";
import { capturePane, isPaneId, listPanes, type Pane } from "../../system/terminal/tmux.ts";

export interface Place {
  readonly name: string;
  readonly tmuxSession: string | null;
  /** Absent: the active pane of the session. */
  readonly paneId: string | null;
}

/** `no_tmux`: none is recorded; `missing`: the session does not run; `moved`: the recorded pane is not one of the session's. */
export type Placed =
  { readonly pane: Pane } | { readonly pane: null; readonly why: "no_tmux" | "missing" | "moved"; readonly reason: string };

/** Finds the pane among those of the server. Session names are compared exactly; a recorded pane must belong to its session. */
export function placeAmong(panes: readonly Pane[], { name, tmuxSession, paneId }: Place): Placed {
  const who = JSON.stringify(name);
  if (tmuxSession === null) return { pane: null, why: "no_tmux", reason: `${who} has no tmux session` };
  const own = panes.filter((pane) => (isPaneId(tmuxSession) ? pane.paneId === tmuxSession : pane.session === tmuxSession));
  if (own.length === 0)
    return { pane: null, why: "missing", reason: `tmux session ${JSON.stringify(tmuxSession)} of ${who} is not running` };
  if (paneId === null) return { pane: own.find((pane) => pane.current) ?? own[0]! };
  const pane = own.find((each) => each.paneId === paneId);
  return pane
    ? { pane }
    : { pane: null, why: "moved", reason: `pane ${paneId} recorded for ${who} is not in tmux session ${JSON.stringify(tmuxSession)}` };
}

/** As `placeAmong`, asking tmux only when a session is recorded. @throws Failure when tmux is absent or denied */
export const findPlace = async (cx: Context, place: Place): Promise<Placed> =>
  placeAmong(place.tmuxSession === null ? [] : await listPanes(cx.env), place);

/** @throws Failure saying why there is no such pane */
export async function needPane(cx: Context, place: Place): Promise<Pane> {
  const placed = await findPlace(cx, place);
  if (placed.pane) return placed.pane;
  throw new Failure(placed.reason, {
    hint: placed.why === "missing" ? `tmux list-sessions; ${cx.program} reconcile` : `${cx.program} sessions --state all`,
  });
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
export async function viewPane(cx: Context, pane: Pane, lines: number): Promise<PaneView> {
  const [text, styled] = await Promise.all([capturePane(cx.env, pane.paneId, lines), capturePane(cx.env, pane.paneId, 0, true)]);
  const screen = readScreen(styled, pane.mode);
  return { pane, text, page: screen.page, screen };
}
