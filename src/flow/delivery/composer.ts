/** The composer that is typed into: a look at it, and the wait until nothing but an empty one is in front. */
import type { Context } from "../../context.ts";
import type { Agent } from "../../core/agent/agent.ts";
import type { Screen } from "../../core/agent/screen.ts";
import { notSent, type Verdict } from "../../core/delivery/delivery.ts";
import { quoteWord } from "../../core/shell.ts";
import { leaveMode } from "../../system/terminal/keys.ts";
import { capturePane, listPanes, type Pane } from "../../system/terminal/panes.ts";
import { listedAt } from "../reach/open-turn.ts";
import type { Journal, Parcel } from "./journal.ts";

/** A text that stands in the composer this long is a person's draft. */
const STEADY_MS = 400;

/** What the agent itself lists of the receiver. */
export const listed = (agent: Agent, { recipient: { rolloutPath } }: Parcel) =>
  rolloutPath === null ? null : listedAt(agent, rolloutPath);

/** A pane, and what it showed after that. */
export interface Look {
  readonly pane: Pane;
  readonly screen: Screen;
}

/** The pane, then its screen: whatever is typed after the first of the two shows in the second, or moves the cursor. Null: it is gone. */
export async function look(cx: Context, pane: Pane, agent: Agent): Promise<Look | null> {
  const now = (await listPanes(cx.env)).find((each) => each.paneId === pane.paneId && each.pid === pane.pid);
  if (now === undefined || now.dead) return null;
  return { pane: now, screen: agent.screen.read(await capturePane(cx.env, pane.paneId, 0, true), null) };
}

/** Waits until nothing but an empty composer is in front. */
export async function awaitComposer(
  cx: Context,
  journal: Journal,
  pane: Pane,
  agent: Agent,
  queue: boolean,
  deadline: number,
): Promise<Look | "queue" | Verdict> {
  let draft = "";
  let draftSince = 0;
  for (let last = ""; ;) {
    const now = await look(cx, pane, agent);
    if (now === null)
      return notSent("tmux", "PaneGone", `pane ${pane.paneId} of ${JSON.stringify(journal.parcel.recipient.name)} has ended`);
    const { screen } = now;
    if (now.pane.mode !== null) {
      await leaveMode(cx.env, pane.paneId);
      journal.note("left mode", { mode: now.pane.mode });
    }
    if (screen.page !== last) journal.note("screen", { page: screen.page });
    last = screen.page;
    // That it asks is told before its page stands there.
    const free = FREE.has(screen.page) && listed(agent, journal.parcel)?.status !== "waiting";
    if (free && now.pane.mode === null && (now.pane.cursorShown || !agent.screen.cursorShown)) return now;
    const starting = ["blank", "unknown", "starting"].includes(screen.page);
    const shown = screen.page === "draft" ? (screen.composer?.text ?? "") : "";
    if (shown !== draft) draftSince = performance.now();
    draft = shown;
    // What another sender has pasted stands there for a moment only.
    const passing = shown !== "" && performance.now() - draftSince < STEADY_MS;
    if (queue && !free && !starting && !passing) return "queue";
    if (performance.now() >= deadline) return queue ? "queue" : blocked(journal, agent, screen);
    // A screen that is right and only being drawn is soon done.
    await Bun.sleep(free || passing ? 30 : 150);
  }
}

/** Pages with an empty composer that takes keys. */
const FREE: ReadonlySet<Screen["page"]> = new Set(["idle", "working", "queued_input"]);

const blocked = (journal: Journal, agent: Agent, screen: Screen): Verdict =>
  notSent(
    "tmux",
    screen.asks ? "DialogOpen" : screen.composer === null ? "ScreenUnknown" : "ComposerOccupied",
    `nothing was typed into ${JSON.stringify(journal.parcel.recipient.name)}: ${agent.screen.describe(screen)}` +
      (screen.dialog === null ? "" : ` (${screen.dialog.question})`),
    `look at it with: tmux attach -t ${quoteWord(journal.parcel.recipient.tmuxSession ?? "")}`,
  );
