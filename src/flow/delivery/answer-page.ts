/** Answering what a page asks, by that page's own keys: it is read again before each of them, and another page gets none. */
import type { Context } from "../../context.ts";
import type { Agent } from "../../core/agent/agent.ts";
import { agentOf } from "../../core/agent/agents.ts";
import type { AskAnswer } from "../../core/agent/protocol.ts";
import { type AskEnd, UNKNOWN } from "../../core/delivery/ask-end.ts";
import { pageWords } from "../../core/delivery/page-ask.ts";
import { Failure } from "../../core/failure.ts";
import type { Session } from "../../core/sessions/session.ts";
import { quoteWord } from "../../core/shell.ts";
import { type Ask, askById, endAsk, releaseAnswer } from "../../store/asks.ts";
import { sessionById } from "../../store/sessions/sessions.ts";
import { tx } from "../../store/store.ts";
import { loadPieces, pasteAndSubmit, press } from "../../system/terminal/keys.ts";
import { endInRecord } from "../observe/asks.ts";
import { askingPage, type AskingPage, pageWithStep } from "../observe/page-asks.ts";
import { reach, recipientOf } from "../reach/recipient.ts";
import type { Scene } from "../scene.ts";

/** A page shows what a key did within this, also on a busy machine. */
const DRAWN_MS = 10_000;
/** Ways to a choice are no longer. */
const MOST_STEPS = 12;

export interface PageAnswer {
  readonly answer: AskAnswer;
  readonly taskId: string | null;
  /** Waits until the record shows whose answer counted, at most for a while. */
  shown(): Promise<void>;
}

/**
 * Presses what was claimed, and gives how it ended as far as the record tells.
 * @throws Failure when the page is another one by now, or does not take the keys; it is still asked then, and not answered by us
 */
export async function pressAnswer(
  { cx, store }: Scene,
  session: Session,
  ask: Ask,
  { answer, taskId, shown }: PageAnswer,
): Promise<AskEnd> {
  const who = JSON.stringify(session.name);
  let typed = false;
  try {
    const way = await reach(cx, recipientOf(session));
    if (way.pane === null) throw new Failure(`nothing was pressed: ${way.doubt?.why ?? `${who} has no terminal`}`);
    if ("text" in answer) await sayThere(cx, session, await samePage(cx, store, session, ask), answer.text, (may) => (typed = may));
    else await choose({ cx, store }, session, ask, answer.choice, (may) => (typed = may));
  } catch (error) {
    // Once a key was pressed nobody knows, unless the page still stands there unanswered.
    const page = typed ? await askingPage(cx, store, session).catch(() => null) : null;
    if (!typed || (page !== null && isSame(page, ask))) releaseAnswer(store, ask);
    else endAsk(store, ask, UNKNOWN, taskId);
    throw error;
  }
  await shown();
  return tx(store, () => {
    const end = endInRecord(store, sessionById(store, session.id)!, askById(store, ask.id)!);
    endAsk(store, ask, end, taskId);
    return end;
  });
}

const isSame = ({ told }: AskingPage, ask: Ask): boolean =>
  told.requestId === ask.request_id && told.turnId === ask.turn_id && told.itemId === ask.item_id;

/** The page as it stands now. @throws Failure when it is another one, or none asks any more */
async function samePage(cx: Context, store: Scene["store"], session: Session, ask: Ask): Promise<AskingPage> {
  const page = await pageWithStep(cx, store, session);
  if (page !== null && isSame(page, ask)) return page;
  throw changed(cx, session);
}

const changed = (cx: Context, { name }: Session): Failure =>
  new Failure(`nothing was chosen: ${JSON.stringify(name)} no longer asks that`, {
    hint: `what it asks now: ${cx.program} answer ${quoteWord(name)}`,
  });

/** Goes to the choice and takes it, a look at the page before each key. @param typed told whether a key may have chosen by now */
async function choose({ cx, store }: Scene, session: Session, ask: Ask, choice: number, typed: (may: boolean) => void): Promise<void> {
  let page = await samePage(cx, store, session, ask);
  let chose = false;
  for (let step = 0; step < MOST_STEPS; step += 1) {
    // By its words: a choice that came in later has moved those below it.
    const at = page.dialog.answers.flatMap((each, index) => (each.word === ask.choices[choice]!.word ? [index] : []));
    const keys = at.length === 1 ? page.dialog.answers[at[0]!]!.keys : null;
    if (keys === null) throw notKnown(cx, session, ask);
    const seen = pageWords(page.dialog);
    const takes = page.dialog.chosen === at[0] || !keys.every((key) => key === "Down" || key === "Up");
    // Not pressed: the pane has changed since, and is read again.
    if (takes) typed(true);
    const pressed = await press(cx.env, { pane: page.pane, cursor: true, lines: page.lines }, ...keys);
    chose ||= takes && pressed;
    typed(chose);
    const next = pressed ? await after(cx, store, session, ask, seen) : await samePage(cx, store, session, ask);
    if (next === null || !isSame(next, ask)) {
      if (takes) return;
      throw changed(cx, session);
    }
    // Once more it might go into what comes after the page.
    if (pressed && pageWords(next.dialog) === seen) break;
    page = next;
  }
  throw new Failure(`${JSON.stringify(session.name)} still asks: its page does not take the keys`, {
    hint: `answer it at its terminal: ${cx.program} open ${quoteWord(session.name)}`,
  });
}

/** The page once it shows something else than it did, or is gone; as it was when it does not change. */
async function after(cx: Context, store: Scene["store"], session: Session, ask: Ask, seen: string): Promise<AskingPage | null> {
  for (const end = performance.now() + DRAWN_MS; ; await Bun.sleep(30)) {
    const page = await askingPage(cx, store, session);
    if (page === null || !isSame(page, ask) || pageWords(page.dialog) !== seen || performance.now() > end) return page;
  }
}

const notKnown = (cx: Context, session: Session, ask: Ask): Failure =>
  new Failure(`which keys choose that of ${ask.id} for certain is not known`, {
    hint: `answer it at its terminal: ${cx.program} open ${quoteWord(session.name)}`,
  });

/** Words of one's own, where the page takes them. */
async function sayThere(cx: Context, session: Session, page: AskingPage, text: string, typed: (may: boolean) => void): Promise<void> {
  const agent: Agent = agentOf(session);
  const pieces = agent.keys.pastes(agent.keys.typeable(text));
  const { buffers, unload } = await loadPieces(cx.env, `conveyor-answer-${process.pid}`, pieces);
  typed(true);
  const done = await pasteAndSubmit(cx.env, buffers, { pane: page.pane, cursor: true, lines: page.lines }).finally(unload);
  if (done) return;
  typed(false);
  throw new Failure(`nothing was typed: the page of ${JSON.stringify(session.name)} has changed`, {
    hint: `${cx.program} answer ${quoteWord(session.name)}`,
  });
}
