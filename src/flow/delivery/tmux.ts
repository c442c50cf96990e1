/** The tmux rung: one bracketed paste and Enter into an empty composer, and Enter again only while our own text stands there. */
import type { Context } from "../../context.ts";
import type { Agent } from "../../core/agent/agent.ts";
import type { Screen } from "../../core/agent/screen.ts";
import { notSent, standsInComposer, type Verdict } from "../../core/delivery/delivery.ts";
import { isStartOf, pasteable } from "../../core/delivery/same-text.ts";
import { leaveMode, loadPieces, pasteAndSubmit, press, type Still, submit } from "../../system/terminal/keys.ts";
import type { Pane } from "../../system/terminal/panes.ts";
import { awaitComposer, listed, look, type Look } from "./composer.ts";
import type { Journal, Parcel } from "./journal.ts";
import { newestTurn } from "../reach/open-turn.ts";
import { type Reach, stillShows } from "../reach/recipient.ts";
import { RolloutGrowth } from "./proof.ts";

/** How long a screen may take to show a composer that can be typed into. */
const READY_MS = 10_000;
const PROOF_MS = 15_000;
/** How often to look for a copy of a text that came in beside an interrupt. */
const COPY_LOOKS = 4;
/** Between two looks at the screen while the proof is awaited. */
const LOOK_MS = 600;
/** What an interrupt puts back although it was submitted shows in the rollout within this. */
const PUT_BACK_MS = 5000;
/** What a terminal that is gone has swallowed shows within this. */
const GONE_MS = 2000;

/** Types into a pane that shows no known agent: what is sent there counts as delivered, since nothing can prove or disprove it. */
export async function typeBlindly(cx: Context, journal: Journal, way: Reach, pane: Pane): Promise<Verdict> {
  if (pane.mode !== null) {
    await leaveMode(cx.env, pane.paneId);
    journal.note("left mode", { mode: pane.mode });
  }
  const sent = await send(cx, journal, way, { pane, cursor: false }, [pasteable(journal.parcel.text)].filter(Boolean), false);
  if (sent === "changed" || sent === "moved")
    return notSent(
      "tmux",
      "PaneChanged",
      `nothing was typed: pane ${pane.paneId} of ${JSON.stringify(journal.parcel.recipient.name)} shows something else now`,
    );
  return sent === "sent" ? { ...sentOff("delivered"), proof: "unavailable", completed: true } : sent;
}

/** Whether a text may go by the agent's own queue. What nobody asked for does not go around what stands in its composer. */
export const mayQueue = ({ asCommand, undisturbed, recipient: { agent } }: Parcel, { live, pane }: Reach): boolean =>
  live && !asCommand && !(undisturbed && pane !== null && agent.queue?.colleague !== true);

/**
 * "queue": the composer is not ours to type into, but the thread takes messages by its queue. "moved": the pane shows another conversation
 * by now.
 */
export async function deliverByTmux(
  cx: Context,
  journal: Journal,
  pane: Pane,
  agent: Agent,
  way: Reach,
): Promise<Verdict | "queue" | "moved"> {
  const { parcel } = journal;
  const provable = way.provable && !parcel.asCommand;
  const queued = mayQueue(parcel, way);
  const text = parcel.asCommand ? pasteable(parcel.text) : agent.keys.typeable(parcel.text);
  for (const deadline = performance.now() + READY_MS; ;) {
    const ready = await awaitComposer(cx, journal, pane, agent, queued, deadline);
    if (ready === "queue" || "state" in ready) return ready;
    const interrupted = newestTurn(agent, journal.markRollout()) === "aborted";
    const still = { pane: ready.pane, cursor: true, literal: submitsBy(agent, parcel, ready.screen) };
    const sent = await send(cx, journal, way, still, agent.keys.pastes(text), provable);
    if (sent === "changed" && performance.now() < deadline) continue;
    if (sent === "changed")
      return queued
        ? "queue"
        : notSent("tmux", "ComposerOccupied", `nothing was typed: somebody else types into ${JSON.stringify(parcel.recipient.name)}`);
    if (sent === "moved") return sent;
    const doubt = sent === "sent" ? null : sent;
    if (!provable || (doubt !== null && doubt.state !== "unknown"))
      return doubt ?? { ...sentOff("delivered"), proof: "unavailable", completed: true };
    const { aborted, ...verdict } = await awaitProof(cx, journal, pane, agent, { interrupted, doubt, behind: still.literal !== undefined });
    if (verdict.proof === "seen" && (interrupted || aborted)) await removeCopy(cx, journal, pane, agent);
    return verdict;
  }
}

/**
 * A text that comes in while a turn is being interrupted is submitted and put back into the composer as well. That copy is ours and has
 * arrived: left there it would go out a second time with the next Enter. Only what is exactly our text is taken away, line by line, and
 * only while nobody types.
 */
async function removeCopy(cx: Context, journal: Journal, pane: Pane, agent: Agent): Promise<void> {
  for (let count = 0; count < COPY_LOOKS; count += 1) {
    const now = await look(cx, pane, agent).catch(() => null);
    if (now !== null && strands(agent, now, journal.parcel.text)) {
      if (await press(cx.env, { pane: now.pane, cursor: true }, ...agent.keys.clear(journal.parcel.text)))
        return journal.note("removed the copy that was put back");
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

/**
 * Loads, marks, pastes and submits. "changed": the pane was not as it was seen, or somebody else is typing there, so nothing
 * was typed. A verdict when it may have gone wrong.
 */
async function send(
  cx: Context,
  journal: Journal,
  way: Reach,
  still: Still & { readonly literal?: string },
  pastes: readonly string[],
  provable: boolean,
): Promise<"sent" | "changed" | "moved" | Verdict> {
  const { buffers, unload } = await loadPieces(cx.env, `conveyor-${journal.clientId}`, pastes);
  // Behind this look lies only the one command that types.
  if (!(await stillShows(cx, journal.parcel.recipient, way))) {
    await unload();
    journal.note("pane moved");
    return "moved";
  }
  const begun = journal.begin("tmux", provable);
  if (begun === "taken") {
    await unload();
    await Bun.sleep(LOOK_MS / 10);
    return "changed";
  }
  if (!begun) {
    await unload();
    return notSent("tmux", "LeaseLost", "the claim on this message was lost before it was sent");
  }
  try {
    const done = await pasteAndSubmit(cx.env, buffers, still, still.literal);
    if (done) return "sent";
    await unload();
    journal.note("pane changed");
    return "changed";
  } catch (error) {
    const { message, name } = error as Error;
    await unload();
    journal.note("tmux failed", { error: message });
    return { ...sentOff("unknown"), error: message, errorType: name };
  }
}

/** Enter only for who rests: what runs may ask before it is read. What did not come to wait then stands there, and is entered later. */
function submitsBy(agent: Agent, parcel: Parcel, { working }: Screen): string | undefined {
  const rests = !working && (listed(agent, parcel)?.status ?? "idle") === "idle";
  return rests ? undefined : (agent.keys.enqueue ?? undefined);
}

/**
 * @param interrupted the turn before was interrupted, perhaps only just now
 * @param doubt what went wrong with the sending, if something did: then the rollout alone decides, soon
 * @param behind it was to wait behind a turn: no interrupt puts that back, and where it stands it never waited
 */
async function awaitProof(
  cx: Context,
  journal: Journal,
  pane: Pane,
  agent: Agent,
  { interrupted, doubt, behind }: { readonly interrupted: boolean; readonly doubt: Verdict | null; readonly behind: boolean },
): Promise<Verdict & { readonly aborted: boolean }> {
  const { parcel } = journal;
  const search = journal.search("tmux");
  if (search === null) return { ...(doubt ?? { ...sentOff("delivered"), proof: "unavailable", completed: true }), aborted: false };
  const growth = new RolloutGrowth(search.rolloutPath, parcel.recipient.threadId);
  const begun = performance.now();
  let deadline = begun + (doubt === null ? (parcel.proofMs ?? PROOF_MS) : GONE_MS);
  // The first is soon: others may wait for this composer.
  let nextLook = doubt === null ? begun + (agent.keys.enqueue === null ? LOOK_MS : LOOK_MS / 4) : deadline;
  let standing = "";
  let accepted = false;
  /** It was seen there, in the composer or in what waits: long texts take a while to be drawn. */
  let came = false;
  /** It was submitted: the composer was seen without it afterwards. */
  let left = false;
  let putBack = false;
  const arrived = () =>
    ({ ...sentOff("delivered"), proof: "seen", completed: true, lookedTo: search.lookedTo, aborted: search.sawAbort }) as const;
  try {
    for (;;) {
      if (search.look()) return arrived();
      const now = performance.now();
      if (now >= deadline) break;
      if (now >= nextLook) {
        const seen = await look(cx, pane, agent).catch(() => null);
        nextLook = performance.now() + LOOK_MS;
        const page = seen?.screen.page ?? "gone";
        if (page !== standing) journal.note("screen", { page });
        standing = page;
        if (seen === null) deadline = nextLook = Math.min(deadline, performance.now() + GONE_MS);
        else {
          const queued = seen.screen.queued.some((waiting) => isStartOf(waiting, parcel.text));
          const stands = strands(agent, seen, parcel.text);
          // What the rollout says after the look: an interrupt puts back what was submitted, and a second Enter would send it twice.
          if (search.look()) return arrived();
          accepted = queued || (accepted && !search.sawAbort);
          came ||= stands || queued;
          const gone: boolean = came && !left && !stands && seen.screen.composer?.empty === true;
          if (gone) journal.left();
          left ||= gone;
          putBack = stands && ((search.sawAbort && !behind) || left);
          const settled = !interrupted || performance.now() > begun + PUT_BACK_MS;
          // Enter in the mode of shell commands would run it.
          const mayEnter = stands && !putBack && settled && seen.screen.composer?.shell === false;
          const literal = submitsBy(agent, parcel, seen.screen);
          if (mayEnter && (await submit(cx.env, { pane: seen.pane, cursor: true }, literal).catch(() => false)))
            journal.note("enter again");
        }
      }
      await growth.wait(Math.min(deadline, nextLook) - performance.now());
    }
  } finally {
    growth.close();
  }
  const who = JSON.stringify(parcel.recipient.name);
  const later = { hint: `do not send it again; ${cx.program} deliveries --explain ${journal.id}`, lookedTo: search.lookedTo };
  if (doubt !== null) return { ...doubt, ...later, aborted: search.sawAbort };
  const error = accepted
    ? `the text waits in ${who} for its next tool call or the end of its turn`
    : putBack
      ? `an interrupt has put the text back into the composer of ${who}, where it stands unsent`
      : `the text was typed into ${who}, but its rollout does not show it yet`;
  return { ...sentOff("typed"), accepted, error, errorType: "NotProven", ...later, aborted: search.sawAbort };
}

/** Our own text stands in the composer. */
const strands = (agent: Agent, { pane, screen }: Look, text: string): boolean =>
  pane.mode === null &&
  screen.composer !== null &&
  !screen.composer.empty &&
  !screen.asks &&
  standsInComposer(agent, screen.composer, text);
