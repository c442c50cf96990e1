/** What the page in a session's pane asks right now, put on record like what a protocol tells, and that it is no longer asked. */
import type { Context } from "../../context.ts";
import { agentOf } from "../../core/agent/agents.ts";
import type { AgentAsk, ServedTurn, ServedTurnStatus } from "../../core/agent/protocol.ts";
import { readFact } from "../../core/agent/record.ts";
import type { Dialog } from "../../core/agent/screen.ts";
import { askOfPage, linesThatAsk, pageWords } from "../../core/delivery/page-ask.ts";
import type { Session } from "../../core/sessions/session.ts";
import { turnSign } from "../../core/sessions/worker-state.ts";
import { styledLines } from "../../core/styled-text.ts";
import { type Ask, endAsk, goneAsks, openAsks, recordAsks } from "../../store/asks.ts";
import { newestTurnEvent, recordsBefore } from "../../store/observe/codex-events.ts";
import type { Store } from "../../store/store.ts";
import { sha256 } from "../../system/files/digest.ts";
import { alive } from "../../system/processes/processes.ts";
import { capturePane, type Pane } from "../../system/terminal/panes.ts";
import { listedAt } from "../reach/open-turn.ts";
import { findPlace } from "../reach/pane.ts";
import { sessionSubject } from "../reach/subject.ts";
import { endInRecord } from "./asks.ts";
import { readAhead } from "./ingest.ts";

/** A page that asks. */
export interface AskingPage {
  /** As it was before the page was read: what is typed after that moves its cursor. */
  readonly pane: Pane;
  readonly dialog: Dialog;
  readonly told: AgentAsk;
  /** Those of its lines that say what it asks. */
  readonly lines: readonly string[];
}

const STATUS = { open: "running", completed: "completed", failed: "failed", aborted: "interrupted" } as const satisfies Record<
  string,
  ServedTurnStatus
>;

function newestTurn(store: Store, session: Session): ServedTurn | null {
  const event = newestTurnEvent(store, session.id);
  const sign = event === null ? null : turnSign(event);
  if (event === null || sign === null) return null;
  const fact = readFact(event);
  return { id: ("turnId" in fact ? fact.turnId : null) ?? "", status: event.broken ? "interrupted" : STATUS[sign] };
}

/** The page, if one asks. Null also without a pane, and for a page that asks about the program itself. */
export async function askingPage(cx: Context, store: Store, session: Session): Promise<AskingPage | null> {
  const { codex_session_id: threadId, cwd } = session;
  const placed = await findPlace(cx, sessionSubject(session));
  if (placed.pane === null || placed.pane.dead || threadId === null) return null;
  const agent = agentOf(session);
  const { pane } = placed;
  const screen = await capturePane(cx.env, pane.paneId, 0, true);
  const { asks, dialog } = agent.screen.read(screen, pane.mode);
  if (!asks || dialog === null) return null;
  const turn = newestTurn(store, session);
  const steps = agent.transcript.openSteps(recordsBefore(store, session.id, Number.MAX_SAFE_INTEGER));
  const told = askOfPage(dialog, { threadId, turnId: turn?.id || null, cwd, steps }, sha256);
  if (told === null) return null;
  const lines = linesThatAsk(
    dialog,
    styledLines(screen).map(({ text }) => text),
  );
  return { pane, dialog, told, lines };
}

/** That it waits is told before its page stands there, and the page before the record of what it asks about. */
const STEP_MS = 1500;
/** A page that was drawn this long ago takes keys; one that is pressed sooner is lost (2.1.332), and choices may still come in. */
const DRAWN_MS = 150;

/** Its agent itself says that it waits for somebody. */
function waits({ codex_session_path: path, ...session }: Session): boolean {
  return path !== null && listedAt(agentOf(session), path)?.status === "waiting";
}

/**
 * The page, with the step that it is about where its record tells that in time: that of a helper's is in no record of ours. It may just be
 * being drawn, too.
 */
export async function pageWithStep(cx: Context, store: Store, session: Session): Promise<AskingPage | null> {
  let before = "";
  for (const end = performance.now() + STEP_MS; ; await Bun.sleep(DRAWN_MS)) {
    readAhead(cx, store, session.id);
    const page = await askingPage(cx, store, session);
    const words = page === null ? "" : pageWords(page.dialog);
    const isWhole = page === null ? !waits(session) : words === before && (page.told.kind === "held" || page.told.itemId !== null);
    if (isWhole || performance.now() > end) return page;
    before = words;
  }
}

/** What is no longer asked has ended as its record tells, where that names its step: its turn may be over, and another one may ask. */
function endByRecord(store: Store, session: Session, taskId: string | null, told: readonly AgentAsk[], since: string): void {
  for (const ask of goneAsks(store, session.id, told, since)) {
    if (ask.sender_pid !== null && alive(ask.sender_pid)) continue;
    const end = endInRecord(store, session, ask);
    if (end.proof === "seen") endAsk(store, ask, end, taskId);
  }
}

/** What its page asks, as it is on record now; null when it asks nothing. What it asked before and no longer asks is ended. */
export async function lookAtPage(
  cx: Context,
  store: Store,
  session: Session,
  taskId: string | null,
): Promise<(AskingPage & { readonly ask: Ask }) | null> {
  const since = store.now();
  const page = await pageWithStep(cx, store, session);
  if (page === null && openAsks(store, session.id).length === 0) return null;
  // Its record may only just have told that the step is through.
  if (page === null) readAhead(cx, store, session.id);
  const told = page === null ? [] : [page.told];
  endByRecord(store, session, taskId, told, since);
  const [ask] = recordAsks(store, session.id, taskId, told, { since, turn: newestTurn(store, session), lives: alive });
  return page === null || ask === undefined ? null : { ...page, ask };
}
