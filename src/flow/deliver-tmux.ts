/** The tmux rung: one bracketed paste and Enter into an empty composer, and Enter again only while our own text stands there. */
import type { Context } from "../context.ts";
import type { Agent } from "../core/agent.ts";
import type { Screen } from "../core/codex-screen.ts";
import { notSent, standsInComposer, typeable, type Verdict } from "../core/delivery.ts";
import { pasteable, plainWords } from "../core/same-text.ts";
import { capturePane, deleteBuffer, leaveMode, listPanes, loadBuffer, type Pane, pasteAndSubmit, sendKey, sendReturn } from "../system/tmux.ts";
import type { Journal } from "./delivery-journal.ts";
import { newestTurn } from "./open-turn.ts";
import { RolloutGrowth } from "./proof.ts";

/** How long a screen may take to show a composer that can be typed into. */
const READY_MS = 10_000;
const PROOF_MS = 15_000;
/** How often to look for a copy of a text that came in beside an interrupt. */
const COPY_LOOKS = 4;
/** Between two looks at the screen while the proof is awaited. */
const LOOK_MS = 600;

/** Types into a pane that shows no known agent: what is sent there counts as delivered, since nothing can prove or disprove it. */
export async function typeBlindly(cx: Context, journal: Journal, pane: Pane): Promise<Verdict> {
  if (pane.mode !== null) {
    await leaveMode(cx.env, pane.paneId);
    journal.note("left mode", { mode: pane.mode });
  }
  const sent = await send(cx, journal, pane, pasteable(journal.parcel.text), false);
  return sent ?? { ...sentOff("delivered"), proof: "unavailable", completed: true };
}

/** "queue": the composer is not ours to type into, but the thread takes messages by its queue. */
export async function deliverByTmux(cx: Context, journal: Journal, pane: Pane, agent: Agent, live: boolean): Promise<Verdict | "queue"> {
  const { parcel } = journal;
  const ready = await awaitComposer(cx, journal, pane, agent, live && !parcel.asCommand);
  if (ready !== "ready") return ready;
  const text = parcel.asCommand ? pasteable(parcel.text) : typeable(parcel.text);
  journal.markRollout();
  const interrupted = newestTurn(parcel.recipient.rolloutPath) === "aborted";
  const sent = await send(cx, journal, pane, text, !parcel.asCommand);
  if (sent !== null) return sent;
  // A command of the agent's own is no user text: nothing of it will stand in the rollout.
  if (parcel.asCommand) return { ...sentOff("delivered"), proof: "unavailable", completed: true };
  const { aborted, ...verdict } = await awaitProof(cx, journal, pane, agent);
  if (verdict.proof === "seen" && (interrupted || aborted)) await removeCopy(cx, journal, pane, agent);
  return verdict;
}

/**
 * A text that comes in while a turn is being interrupted is submitted and put back into the composer as well. That copy is ours and has
 * arrived: left there it would go out a second time with the next Enter. Only what is exactly our text is taken away, line by line.
 */
async function removeCopy(cx: Context, journal: Journal, pane: Pane, agent: Agent): Promise<void> {
  for (let look = 0; look < COPY_LOOKS; look += 1) {
    const { composer } = agent.readScreen(await capturePane(cx.env, pane.paneId, 0, true), null);
    if (composer !== null && !composer.empty && standsInComposer(composer.text, journal.parcel.text)) {
      journal.note("removed the copy that was put back");
      for (let line = 0; line <= 2 * journal.parcel.text.split("\n").length; line += 1) await sendKey(cx.env, pane.paneId, "C-u");
      return;
    }
    await Bun.sleep(100);
  }
}

const sentOff = (state: Verdict["state"]): Verdict => ({
  state,
  transport: "tmux",
  proof: "pending",
  started: true,
  completed: false,
  accepted: false,
  error: null,
  errorType: null,
  hint: null,
  lookedTo: null,
});

/** Loads, marks, pastes and submits. A verdict only when that did not go through. */
async function send(cx: Context, journal: Journal, pane: Pane, text: string, provable: boolean): Promise<Verdict | null> {
  const buffer = `conveyor-${journal.clientId}`;
  if (text !== "") await loadBuffer(cx.env, buffer, text);
  if (!journal.begin("tmux", provable)) {
    await deleteBuffer(cx.env, buffer);
    return notSent("tmux", "LeaseLost", "the claim on this message was lost before it was sent");
  }
  try {
    if (text === "") await sendReturn(cx.env, pane.paneId);
    else await pasteAndSubmit(cx.env, buffer, pane.paneId);
    return null;
  } catch (error) {
    await deleteBuffer(cx.env, buffer).catch(() => null);
    const { message, name } = error as Error;
    return { ...sentOff("unknown"), error: message, errorType: name };
  }
}

/** Waits until nothing but an empty composer is in front. */
async function awaitComposer(cx: Context, journal: Journal, pane: Pane, agent: Agent, queue: boolean): Promise<"ready" | "queue" | Verdict> {
  const deadline = performance.now() + READY_MS;
  for (let last = ""; ; ) {
    const now = (await listPanes(cx.env)).find((each) => each.paneId === pane.paneId);
    if (now === undefined || now.dead) return notSent("tmux", "PaneGone", `pane ${pane.paneId} of ${JSON.stringify(journal.parcel.recipient.name)} has ended`);
    if (now.mode !== null) {
      await leaveMode(cx.env, pane.paneId);
      journal.note("left mode", { mode: now.mode });
    }
    const screen = agent.readScreen(await capturePane(cx.env, pane.paneId, 0, true), null);
    if (screen.page !== last) journal.note("screen", { page: screen.page });
    last = screen.page;
    if (isFree(screen)) return "ready";
    const starting = screen.page === "blank" || screen.page === "unknown";
    if (queue && !starting) return "queue";
    if (performance.now() >= deadline) return queue ? "queue" : blocked(journal, agent, screen);
    await Bun.sleep(150);
  }
}

/** Pages with an empty composer that takes keys. */
const free: ReadonlySet<Screen["page"]> = new Set(["idle", "working", "queued_input"]);
const isFree = (screen: Screen): boolean => free.has(screen.page);

const blocked = (journal: Journal, agent: Agent, screen: Screen): Verdict =>
  notSent(
    "tmux",
    screen.asks ? "DialogOpen" : screen.composer === null ? "ScreenUnknown" : "ComposerOccupied",
    `nothing was typed into ${JSON.stringify(journal.parcel.recipient.name)}: ${agent.describe(screen)}${screen.dialog === null ? "" : ` (${screen.dialog.question})`}`,
    `look at it with: tmux attach -t ${journal.parcel.recipient.tmuxSession}`,
  );

async function awaitProof(cx: Context, journal: Journal, pane: Pane, agent: Agent): Promise<Verdict & { readonly aborted: boolean }> {
  const { parcel } = journal;
  const search = journal.search();
  if (search === null) return { ...sentOff("delivered"), proof: "unavailable", completed: true, aborted: false };
  const growth = new RolloutGrowth(parcel.recipient.rolloutPath!);
  const begun = performance.now();
  const deadline = begun + (parcel.proofMs ?? PROOF_MS);
  let nextLook = begun + LOOK_MS;
  let standing = "";
  let accepted = false;
  try {
    for (;;) {
      if (search.look()) return { ...sentOff("delivered"), proof: "seen", completed: true, lookedTo: search.lookedTo, aborted: search.sawAbort };
      const now = performance.now();
      if (now >= deadline) break;
      if (now >= nextLook) {
        nextLook = now + LOOK_MS;
        const screen = agent.readScreen(await capturePane(cx.env, pane.paneId, 0, true), null);
        accepted ||= screen.queued.some((waiting) => isStartOf(waiting, parcel.text));
        if (screen.page !== standing) journal.note("screen", { page: screen.page });
        standing = screen.page;
        if (screen.composer !== null && !screen.composer.empty && !screen.asks && standsInComposer(screen.composer.text, parcel.text)) {
          journal.note("enter again");
          await sendReturn(cx.env, pane.paneId);
        }
      }
      await growth.wait(Math.min(deadline, nextLook) - performance.now());
    }
  } finally {
    growth.close();
  }
  const who = JSON.stringify(parcel.recipient.name);
  const error = accepted ? `the text waits in ${who} for its next tool call or the end of its turn` : `the text was typed into ${who}, but its rollout does not show it yet`;
  return { ...sentOff("typed"), accepted, error, errorType: "NotProven", hint: `do not send it again; ${cx.program} deliveries --explain ${journal.id}`, lookedTo: search.lookedTo, aborted: search.sawAbort };
}

/** Whether a message shown as waiting is ours; long ones are cut. */
function isStartOf(shown: string, text: string): boolean {
  const seen = plainWords(shown).replace(/(…|\.\.\.)$/, "");
  const first = plainWords(pasteable(text).split("\n").find((line) => line.trim() !== "") ?? "");
  return seen !== "" && (seen === first || (seen.length >= 20 && first.startsWith(seen)));
}
