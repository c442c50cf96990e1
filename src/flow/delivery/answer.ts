/** Answering what a session asks, by its agent's protocol or on its page. The first answer wins, ours or that of the person at its terminal. */
import type { Context } from "../../context.ts";
import { type AgentAsk, type AskAnswer, NoAnswer, type ServedLine } from "../../core/agent/protocol.ts";
import { understood } from "../../core/delivery/ask-choice.ts";
import { type Answerer, type AskEnd, UNANSWERED, UNKNOWN } from "../../core/delivery/ask-end.ts";
import { Failure } from "../../core/failure.ts";
import type { Session } from "../../core/sessions/session.ts";
import { quoteWord } from "../../core/shell.ts";
import { type Ask, askById, claimAnswer, endAsk, openAsks, releaseAnswer } from "../../store/asks.ts";
import { unknownSession } from "../../store/names.ts";
import { bindingsOfSession } from "../../store/sessions/bindings.ts";
import { findSession, sessionById } from "../../store/sessions/sessions.ts";
import { type Store, tx } from "../../store/store.ts";
import { alive } from "../../system/processes/processes.ts";
import { asksNow } from "../reach/asks.ts";
import { mayAct } from "../reach/may-act.ts";
import { recipientOf } from "../reach/recipient.ts";
import { hungServer, movedTo } from "../reach/served.ts";
import { endInRecord, lookAtAsks } from "../observe/asks.ts";
import { readAhead } from "../observe/ingest.ts";
import { lookAtPage } from "../observe/page-asks.ts";
import { followListed, reachFollowed } from "../observe/whereabouts.ts";
import type { Scene } from "../scene.ts";
import { RolloutGrowth } from "./proof.ts";
import { pressAnswer } from "./answer-page.ts";
import { boundTask } from "./session-action.ts";

export interface AnswerWish {
  /** Name of a session, or id of an ask. */
  readonly target: string;
  /** `yes`, `no`, a number or a choice's own word; absent: tell what is asked. */
  readonly choice: string | undefined;
  readonly text: string | undefined;
  readonly reason: string | null;
}

/** What is told of an ask, and of the answer to it. */
export interface Answered {
  readonly id: string;
  readonly kind: Ask["kind"];
  readonly session: string;
  readonly question: string;
  readonly command: string | null;
  readonly cwd: string | null;
  readonly asked_reason: string | null;
  readonly choices: Ask["choices"];
  readonly takes_text: boolean;
  readonly choice: string | null;
  readonly answered_by: Answerer | null;
  /** `pending`: not yet, the step that was asked about is not through; `unknown`: nobody can tell whose answer counted. */
  readonly proof: "seen" | "pending" | "unknown";
  readonly sent: boolean;
}

const ANSWERING = { permission: "operator.answer", does: "answer for", itself: "a session does not answer what it asks itself" } as const;
/** From an answer until the agent no longer asks. */
const TAKEN_MS = 5000;
/** So long the record is looked at for what was done. What was declined stands there at once, and what is allowed once it is through. */
const STEP_MS = 3000;

/**
 * Answers, or tells what is asked when the wish names no choice.
 * @throws Failure when nothing is asked, it has gone away or changed, the choice is none of it, or whoever asks may not
 */
export async function answerAsk(cx: Context, store: Store, wish: AnswerWish): Promise<Answered> {
  const { session: seen, askId } = targetOf(cx, store, wish.target);
  const asWorker = bindingsOfSession(store, seen.id).find(({ worker_session_id }) => worker_session_id === seen.id);
  const asker = await mayAct(cx, store, seen, asWorker ?? null, ANSWERING);
  const { session, way } = await reachFollowed(cx, store, seen);
  if (way.kind === "moved") throw movedTo(cx, recipientOf(session), way.to);
  if (way.kind === "none" && !way.hung && session.socket === null) return answerPage({ cx, store }, session, { askId, asker, wish });
  if (way.kind === "none")
    throw new Failure(`what ${JSON.stringify(session.name)} asks cannot be answered from here: ${way.why}`, {
      hint:
        session.tmux_session === null
          ? `${cx.program} sessions`
          : `answer it at its terminal: ${cx.program} open ${quoteWord(session.name)}`,
    });
  const { line } = way;
  try {
    const { taskId } = boundTask(store, session);
    const at = { sessionId: session.id, threadId: way.conversation.id, taskId };
    const look = await lookAtAsks(store, line, at).catch((error: unknown) => {
      throw error instanceof NoAnswer ? hungServer(cx, session.name, "what it asks is not known") : error;
    });
    if (look === null)
      throw new Failure(`${JSON.stringify(session.name)} waits for something that only its terminal shows`, {
        hint: `${cx.program} open ${quoteWord(session.name)}`,
      });
    const { told, asks } = look;
    const ask = chosenAsk(cx, store, session, asks, askId);
    if (wish.choice === undefined && wish.text === undefined)
      return report(session, ask, { choice: null, end: { by: null, proof: null }, sent: false });
    const { word, answer } = understood(cx.program, ask, wish);
    claim(store, ask, { word, wish, asker });
    return await send(
      { cx, store },
      session,
      ask,
      told.find(({ requestId }) => requestId === ask.request_id)!,
      { line, word, answer, taskId },
    );
  } finally {
    line.close();
  }
}

/** The same for what the page in its pane asks. */
async function answerPage(
  { cx, store }: Scene,
  seen: Session,
  { askId, asker, wish }: { readonly askId: string | null; readonly asker: Session | null; readonly wish: AnswerWish },
): Promise<Answered> {
  const session = followListed(cx, store, seen);
  const { taskId } = boundTask(store, session);
  const page = await lookAtPage(cx, store, session, taskId);
  const ask = chosenAsk(cx, store, session, page === null ? [] : [page.ask], askId);
  if (wish.choice === undefined && wish.text === undefined)
    return report(session, ask, { choice: null, end: { by: null, proof: null }, sent: false });
  const { word, answer } = understood(cx.program, ask, wish);
  claim(store, ask, { word, wish, asker });
  const end = await pressAnswer({ cx, store }, session, ask, { answer, taskId, shown: () => shown({ cx, store }, session, ask) });
  return report(session, ask, { choice: word, end, sent: true });
}

/** @throws Failure when somebody else answers it, or has */
function claim(
  store: Store,
  ask: Ask,
  { word, wish, asker }: { readonly word: string; readonly wish: AnswerWish; readonly asker: Session | null },
): void {
  const given = { answer: word, reason: wish.reason, askerSessionId: asker?.id ?? null, pid: process.pid };
  const taken = ask.sender_pid !== null && ask.sender_pid !== process.pid && alive(ask.sender_pid);
  if (taken || !claimAnswer(store, ask, given)) throw new Failure(`${ask.id} is answered already, or just being answered`);
}

interface Sent {
  readonly line: ServedLine;
  readonly word: string;
  readonly answer: AskAnswer;
  readonly taskId: string | null;
}

async function send(
  { cx, store }: Scene,
  session: Session,
  ask: Ask,
  told: AgentAsk,
  { line, word, answer, taskId }: Sent,
): Promise<Answered> {
  let before = false;
  let heard = false;
  let over = false;
  void line.ended.then(() => (over = true));
  const taken = Promise.withResolvers<void>();
  let sent = false;
  line.hear((event) => {
    if (event.kind === "answered" && event.requestId === told.requestId) {
      before = !sent;
      heard = true;
      taken.resolve();
    }
  });
  // Another's answer that has come by now is told before ours can be sent.
  const there = await line.conversation(told.threadId).catch(() => undefined);
  if (there === undefined && !over) {
    releaseAnswer(store, ask);
    throw new Failure(`${ask.id} was not answered: the server of ${JSON.stringify(session.name)} does not answer`, {
      hint: `answer it at its terminal: ${cx.program} open ${quoteWord(session.name)}`,
    });
  }
  if (there == null) {
    endAsk(store, ask, UNANSWERED, taskId);
    throw new Failure(`${ask.id} was not answered, and is no longer asked: the server of ${JSON.stringify(session.name)} ended`, {
      hint: `look at it: ${cx.program} open ${quoteWord(session.name)}`,
    });
  }
  if (!before) line.answer(told, answer);
  sent = true;
  await Promise.race([taken.promise, line.ended, Bun.sleep(TAKEN_MS)]);
  const still = over ? undefined : await line.conversation(told.threadId).catch(() => undefined);
  if (!heard && still === undefined) {
    endAsk(store, ask, UNKNOWN, taskId);
    const server = `the server of ${JSON.stringify(session.name)} ${over ? "ended meanwhile" : "does not answer any more"}`;
    throw new Failure(`nobody can tell whether the answer to ${ask.id} was taken: ${server}`, {
      hint: `look at it: ${cx.program} open ${quoteWord(session.name)}`,
    });
  }
  if (
    !before &&
    still?.waits != null &&
    (await asksNow(line, told.threadId))?.some(({ requestId, turnId }) => requestId === told.requestId && turnId === told.turnId)
  ) {
    releaseAnswer(store, ask);
    throw new Failure(`the answer to ${ask.id} was not taken, and ${JSON.stringify(session.name)} still asks`, {
      hint: `answer it at its terminal: ${cx.program} open ${quoteWord(session.name)}`,
    });
  }
  if (!before) await shown({ cx, store }, session, ask);
  const end = tx(store, () => {
    const now: AskEnd = before
      ? { by: "person", proof: "seen" }
      : endInRecord(store, sessionById(store, session.id)!, askById(store, ask.id)!);
    endAsk(store, ask, now, taskId);
    return now;
  });
  return report(session, ask, { choice: word, end, sent: !before });
}

/** Stores what its record gains, until that shows whose answer counted, at most for a while. */
async function shown({ cx, store }: Scene, session: Session, ask: Ask): Promise<void> {
  const growth = new RolloutGrowth(session.codex_session_path!, session.codex_session_id);
  try {
    for (const limit = performance.now() + STEP_MS; ;) {
      readAhead(cx, store, session.id);
      const rest = limit - performance.now();
      if (rest <= 0 || endInRecord(store, session, askById(store, ask.id)!).proof !== null) return;
      await growth.wait(rest);
    }
  } finally {
    growth.close();
  }
}

const report = (
  session: Session,
  ask: Ask,
  { choice, end: { by, proof }, sent }: { choice: string | null; end: AskEnd; sent: boolean },
): Answered => ({
  id: ask.id,
  kind: ask.kind,
  session: session.name,
  question: ask.question,
  command: ask.command,
  cwd: ask.cwd,
  asked_reason: ask.reason,
  choices: ask.choices,
  takes_text: ask.takes_text,
  choice,
  answered_by: by,
  proof: proof ?? "pending",
  sent,
});

function endOf({ answered_by, proof }: Ask): string {
  // Of "other" nobody of ours was there to hear whose it was, or whether an interrupt or the end of its server took it away.
  const ends: Readonly<Record<Answerer, string>> = {
    us: "it was answered from here",
    person: "it was answered at its terminal",
    other: "it was answered at its terminal, or went away with its turn",
  };
  if (answered_by !== null) return ends[answered_by];
  if (proof === null) return "it was answered, and whose answer counted shows when its step is through";
  return proof === "seen" ? "it went away unanswered" : "nobody can tell whether it was answered, and by whom";
}

function targetOf(cx: Context, store: Store, target: string): { session: Session; askId: string | null } {
  let ask = askById(store, target);
  if (ask?.ended_at != null && ask.proof === null) {
    readAhead(cx, store, ask.session_id);
    ask = askById(store, target)!;
  }
  if (ask === null) {
    const session = findSession(store, target);
    if (session === null) throw unknownSession(store, target);
    return { session, askId: null };
  }
  if (ask.ended_at !== null) throw new Failure(`${ask.id} is no longer asked: ${endOf(ask)}`, { hint: `${cx.program} deliveries` });
  return { session: sessionById(store, ask.session_id)!, askId: ask.id };
}

/** @throws Failure when nothing is asked, it is another thing, or several are and none was named */
function chosenAsk(cx: Context, store: Store, session: Session, asks: readonly Ask[], askId: string | null): Ask {
  const who = JSON.stringify(session.name);
  if (askId !== null) {
    const ask = asks.find(({ id }) => id === askId);
    if (ask !== undefined) return ask;
    throw new Failure(`${askId} is no longer asked by ${who}`, { hint: `${cx.program} answer ${quoteWord(session.name)}` });
  }
  const [first, second] = asks;
  if (first === undefined)
    throw new Failure(`${who} asks nothing that can be answered from here`, {
      hint: `look at it: ${cx.program} open ${quoteWord(session.name)}`,
    });
  if (second !== undefined)
    throw new Failure(
      `${who} asks ${asks.length} things: ${openAsks(store, session.id)
        .map(({ id, question }) => `${id} (${question})`)
        .join(", ")}`,
      {
        hint: `${cx.program} answer ${first.id}`,
      },
    );
  return first;
}
