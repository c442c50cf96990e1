/**
 * Interrupting what runs in a pane: the key that the agent there takes for it, never one that ends an idle agent, and a text afterwards.
 */
import type { Context } from "../../context.ts";
import type { Agent } from "../../core/agent/agent.ts";
import { NoAnswer, type ServedTurn } from "../../core/agent/protocol.ts";
import { type Proof, standsInComposer } from "../../core/delivery/delivery.ts";
import { Failure } from "../../core/failure.ts";
import { quoteWord } from "../../core/shell.ts";
import { type Ask, claimAnswer, endGone, openAsks, releaseAnswer } from "../../store/asks.ts";
import { sessionById } from "../../store/sessions/sessions.ts";
import type { Store } from "../../store/store.ts";
import { leaveMode, press } from "../../system/terminal/keys.ts";
import { capturePane, listPanes, type Pane } from "../../system/terminal/panes.ts";
import { deliver } from "./deliver.ts";
import { listedAt, newestTurn, turnEndedAfter, unanswered, writtenTo } from "../reach/open-turn.ts";
import { hungServer, movedTo } from "../reach/served.ts";
import { reachFollowed } from "../observe/whereabouts.ts";
import { sayAgain } from "./again.ts";
import { type Recipient, reach, stillShows } from "../reach/recipient.ts";
import { refuseUndelivered } from "./speak.ts";

export const DEFAULT_KEY = "C-c";
/** How long an agent may take to end its turn before the text that follows is sent all the same. */
const SETTLE_MS = 3000;
/**
 * An interrupt shows within this, if the key reached the turn at all: vim's insert mode and open lists keep the first Escape for
 * themselves.
 */
const HEARD_MS = 1500;

/** The words of a turn that ended before it had begun to answer are back in the composer within this. */
const RETURN_MS = 1000;

interface Interrupt {
  /** As asked for; absent: what interrupts the program in the pane. */
  readonly key: string | undefined;
  readonly followup: string | null;
  readonly dryRun: boolean;
  readonly origin: string;
  readonly taskId?: string | null;
}

export interface Interrupted {
  readonly key: string;
  /** false: nothing runs there that could be interrupted, so no key was pressed. */
  readonly sent: boolean;
  readonly target: string;
  /** What proves that the follow-up arrived; null when there was none to send. */
  readonly followup_proof: Proof | null;
}

/** The tmux session in which keys can be pressed. @throws Failure when there is none */
export function needTerminal(recipient: Recipient): string {
  if (recipient.tmuxSession === null)
    throw new Failure(`${JSON.stringify(recipient.name)} has no tmux session, so no key can be pressed there`);
  return recipient.tmuxSession;
}

/** @throws Failure when the session is gone, dead, not running, or the follow-up was not delivered */
export async function interrupt(cx: Context, store: Store, recipient: Recipient, input: Interrupt): Promise<Interrupted> {
  const target = needTerminal(recipient);
  const served = input.key === undefined && !input.dryRun ? await interruptServed(cx, store, recipient, input) : null;
  if (served !== null) {
    const key = recipient.agent.keys.interrupt;
    return { key, sent: served, target, followup_proof: input.followup === null ? null : await followUp(cx, store, recipient, input) };
  }
  const way = await reach(cx, recipient);
  const { pane, agent, doubt } = way;
  // Any key is an answer there.
  const asks = recipient.rolloutPath !== null && listedAt(recipient.agent, recipient.rolloutPath)?.status === "waiting";
  if (asks && input.key === undefined)
    throw new Failure(`no key was pressed: ${JSON.stringify(recipient.name)} waits for an answer`, {
      hint: `${cx.program} answer ${quoteWord(recipient.name)}`,
    });
  if (pane === null)
    throw new Failure(
      `no key was pressed: ${doubt?.why ?? `${JSON.stringify(recipient.name)} has no terminal`}`,
      doubt === null ? {} : { hint: doubt.help },
    );
  const key = input.key ?? agent?.keys.interrupt ?? DEFAULT_KEY;
  if (input.dryRun) return { key, sent: false, target, followup_proof: null };
  const sent = input.key !== undefined || agent === null || (await isBusy(cx, pane, agent, recipient.rolloutPath));
  if (sent) {
    const written = writtenTo(recipient.rolloutPath);
    await leaveMode(cx.env, pane.paneId);
    const pressKey = async () => {
      if (!(await stillShows(cx, recipient, way)) || !(await press(cx.env, { pane, cursor: false }, key)))
        throw new Failure(`no key was pressed: pane ${pane.paneId} of ${JSON.stringify(recipient.name)} shows something else now`, {
          hint: `tmux attach -t ${quoteWord(pane.session)}`,
        });
    };
    await pressKey();
    if (input.key === undefined && agent !== null) {
      const runsOn = () => stillRuns(cx, pane, agent, recipient.rolloutPath, written);
      if (await runsOn()) {
        await pressKey();
        if (await runsOn())
          throw new Failure(`${key} was pressed twice in ${JSON.stringify(recipient.name)}, and its turn runs on`, {
            hint: `look at it with: tmux attach -t ${quoteWord(pane.session)}`,
          });
      }
    }
  }
  // What is typed while a turn is being interrupted may go astray: nobody is told that it is over before it is.
  if (sent && (agent !== null || input.followup !== null)) await settled(cx, pane, agent, recipient.rolloutPath);
  if (sent && agent !== null && input.key === undefined) await removeReturned(cx, pane, agent, recipient.rolloutPath);
  return { key, sent, target, followup_proof: input.followup === null ? null : await followUp(cx, store, recipient, input) };
}

async function followUp(cx: Context, store: Store, recipient: Recipient, { followup, origin, taskId }: Interrupt): Promise<Proof> {
  const said = await deliver(cx, store, { recipient, text: followup ?? "", origin, taskId: taskId ?? null });
  refuseUndelivered(said);
  return said.proof;
}

/**
 * Interrupts by the agent's own protocol, whatever its terminal shows, and has said again what was lost by it. Gives whether a turn ran;
 * null when it cannot be reached so.
 */
async function interruptServed(cx: Context, store: Store, recipient: Recipient, input: Interrupt): Promise<boolean | null> {
  if (recipient.socket === null || recipient.sessionId === null) return null;
  const { way } = await reachFollowed(cx, store, sessionById(store, recipient.sessionId)!);
  if (way.kind === "none" && way.hung) throw hungServer(cx, recipient.name, "its turn was not interrupted");
  if (way.kind === "none") return null;
  if (way.kind === "moved") throw movedTo(cx, recipient, way.to);
  const { line, conversation } = way;
  let asked = false;
  try {
    const turn = await line.newestTurn(conversation.id);
    if (turn?.status !== "running") return false;
    const ended = new Promise<ServedTurn>((resolve) =>
      line.hear(
        (event) => void (event.kind === "turn" && event.turn.id === turn.id && event.turn.status !== "running" && resolve(event.turn)),
      ),
    );
    const rests = new Promise<void>((resolve) =>
      line.hear((event) => void (event.kind === "rests" && event.threadId === conversation.id && resolve())),
    );
    await line.follow(conversation.id);
    const asks = claimAsks(store, recipient.sessionId, turn.id);
    asked = true;
    const done = await line.interrupt(conversation.id, turn.id);
    // Refused: it had just ended by itself.
    if ("refused" in done) {
      for (const ask of asks) releaseAnswer(store, ask);
      return false;
    }
    const end = (await Promise.race([ended, line.ended, Bun.sleep(SETTLE_MS)])) ?? null;
    for (const ask of asks) endGone(store, ask, end, input.taskId ?? null);
    // Only then is it followed to where its person has gone on, and a text that follows goes there.
    if (way.kind === "leaving") await Promise.race([rests, line.ended, Bun.sleep(SETTLE_MS)]);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    throw hungServer(cx, recipient.name, asked ? "whether its turn was interrupted is not known" : "its turn was not interrupted");
  } finally {
    line.close();
  }
  await sayAgain(cx, store, { sessionId: recipient.sessionId });
  return true;
}

/** What this turn asks goes away with it: claimed, so that whoever only hears of that does not take it for the person's answer. */
const claimAsks = (store: Store, sessionId: string, turnId: string): Ask[] =>
  openAsks(store, sessionId).filter(
    (ask) =>
      ask.turn_id === turnId &&
      ask.sender_pid === null &&
      claimAnswer(store, ask, { answer: null, reason: "its turn was interrupted from here", askerSessionId: null, pid: process.pid }),
  );

/**
 * Whether the turn that ran when the rollout stood at `written` still runs after a while: on the screen, and by its records. What was
 * queued begins a turn of its own, which is not meant.
 */
async function stillRuns(cx: Context, pane: Pane, agent: Agent, rollout: string | null, written: number): Promise<boolean> {
  for (const end = performance.now() + HEARD_MS; performance.now() < end; await Bun.sleep(50))
    if (turnEndedAfter(agent, rollout, written) || newestTurn(agent, rollout) !== "open") return false;
  return agent.screen.read(await capturePane(cx.env, pane.paneId, 0, true), null).working;
}

/** A second interrupt key on an idle agent opens a page of its own, so an idle one gets none. Whatever is not clearly idle is busy. */
async function isBusy(cx: Context, pane: Pane, agent: Agent, rollout: string | null): Promise<boolean> {
  const listed = rollout === null ? null : listedAt(agent, rollout);
  // Where a person is asked the key would be the answer: no.
  if (listed !== null) return listed.status === "busy";
  const { page } = agent.screen.read(await capturePane(cx.env, pane.paneId, 0, true), null);
  return !["idle", "draft", "starting"].includes(page) || newestTurn(agent, rollout) === "open";
}

/**
 * A turn that is interrupted before the agent's first word gives its words back into the composer, where the next Enter would send them
 * again, in front of whatever is said next. Only exactly they are taken out.
 */
async function removeReturned(cx: Context, pane: Pane, agent: Agent, rollout: string | null): Promise<void> {
  const said = rollout === null ? null : unanswered(agent, rollout);
  if (said === null) return;
  for (const end = performance.now() + RETURN_MS; performance.now() < end; await Bun.sleep(50)) {
    // The pane, then its screen: whatever is typed in between moves the cursor.
    const now = (await listPanes(cx.env)).find((each) => each.paneId === pane.paneId && each.pid === pane.pid);
    if (now === undefined) return;
    const { composer, asks } = agent.screen.read(await capturePane(cx.env, now.paneId, 0, true), null);
    if (composer === null || asks) return;
    if (composer.empty) continue;
    if (!standsInComposer(agent, composer, said)) return;
    if (await press(cx.env, { pane: now, cursor: true }, ...agent.keys.clear(said))) return;
  }
}

async function settled(cx: Context, pane: Pane, agent: Agent | null, rollout: string | null): Promise<void> {
  if (agent === null) return Bun.sleep(500);
  for (const end = performance.now() + SETTLE_MS; performance.now() < end; await Bun.sleep(100))
    if (!(await isBusy(cx, pane, agent, rollout))) return;
}
