/** Whether a session is as its last turn left it: nobody types, nothing is asked. What nobody asked for is said to no other. */
import type { Context } from "../../context.ts";
import { openAsks } from "../../store/asks.ts";
import type { Store } from "../../store/store.ts";
import { capturePane } from "../../system/terminal/panes.ts";
import { listedAt } from "../reach/open-turn.ts";
import { findPlace } from "../reach/pane.ts";
import type { Recipient } from "../reach/recipient.ts";

/** What is in the way, in words; null: nothing. A session without a terminal asks by its protocol alone. */
export async function disturbance(cx: Context, store: Store, recipient: Recipient): Promise<string | null> {
  const { agent, name, sessionId, rolloutPath, tmuxSession } = recipient;
  const who = JSON.stringify(name);
  if (sessionId !== null && openAsks(store, sessionId).length > 0) return `${who} asks something`;
  if (rolloutPath !== null && listedAt(agent, rolloutPath)?.status === "waiting") return `${who} waits for somebody`;
  if (tmuxSession === null) return null;
  const placed = await findPlace(cx, recipient);
  if (placed.pane === null) return placed.reason;
  if (placed.pane.dead) return `the program in the pane of ${who} has ended`;
  const screen = agent.screen.read(await capturePane(cx.env, placed.pane.paneId, 0, true), placed.pane.mode);
  return screen.page === "idle" ? null : `${who} is not left alone: ${agent.screen.describe(screen)}`;
}
