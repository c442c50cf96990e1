/** `agent_asks`: what sessions ask by their agent's protocol, and who answered it how. */
import type { AgentAsk, AskChoice, ServedTurn } from "../core/agent/protocol.ts";
import { type Answerer, type AskEnd, UNANSWERED, UNKNOWN } from "../core/delivery/ask-end.ts";
import { compactJson, parseStored } from "../core/json.ts";
import { addEvent } from "./record/events.ts";
import { type Store, tx } from "./store.ts";

/** One thing that was asked. */
export interface Ask {
  readonly id: string;
  readonly session_id: string;
  readonly request_id: string;
  readonly thread_id: string;
  readonly turn_id: string | null;
  readonly item_id: string | null;
  readonly kind: AgentAsk["kind"];
  readonly question: string;
  /** What would be run. */
  readonly command: string | null;
  readonly cwd: string | null;
  readonly reason: string | null;
  readonly choices: readonly AskChoice[];
  readonly takes_text: boolean;
  readonly asked_at: string;
  /** What we answered: the word of a choice, or a text; null while we have not, or when we took it away with its turn. */
  readonly answer: string | null;
  readonly answer_reason: string | null;
  /** The session that answered by us; null: a person did. */
  readonly asker_session_id: string | null;
  /** When our answer, or our interrupt, was sent. */
  readonly sent_at: string | null;
  /** The process that sends it. */
  readonly sender_pid: number | null;
  /** When it was no longer asked. */
  readonly ended_at: string | null;
  /** Whose answer counted; null while it is asked, and where there was none, or nobody can tell: `proof` says which. */
  readonly answered_by: Answerer | null;
  /** Null while it is asked, and then until the step that it was about is through. */
  readonly proof: AskEnd["proof"] | null;
}

type Row = Omit<Ask, "choices" | "takes_text"> & { choices_json: string; takes_text: number };
const read = ({ choices_json, takes_text, ...row }: Row): Ask => ({
  ...row,
  choices: parseStored<AskChoice[]>(choices_json, []),
  takes_text: takes_text === 1,
});

/** Of what a page asks, its turn and its step may be told a moment later than the page is read. */
const isSame = ({ request_id, turn_id, item_id }: Ask, told: AgentAsk): boolean => {
  const fits = (known: string | null, now: string | null): boolean => known === now || (known === null && request_id.startsWith("page "));
  return request_id === told.requestId && fits(turn_id, told.turnId) && fits(item_id, told.itemId);
};

/**
 * What is on record as asked and is no longer: to be ended by {@link recordAsks}.
 * @param since when the look began that told what is asked: what somebody put on record since then is not in it
 */
export const goneAsks = (store: Store, sessionId: string, told: readonly AgentAsk[], since: string): Ask[] =>
  openAsks(store, sessionId).filter((ask) => ask.asked_at <= since && !told.some((each) => isSame(ask, each)));

/** It was asked, and has ended meanwhile by what somebody else saw. @param since null: whenever that was */
const hasEnded = (store: Store, sessionId: string, { requestId, turnId, itemId }: AgentAsk, since: string | null): boolean =>
  itemId !== null &&
  store.db
    .query(
      "select 1 from agent_asks where session_id = ? and request_id = ? and turn_id is ? and item_id = ? and ended_at > coalesce(?, '')",
    )
    .get(sessionId, requestId, turnId, itemId, since) !== null;

/**
 * Ends an ask that is gone and that nobody of ours is answering: a turn that was interrupted, with its server or by somebody, takes with it
 * what it asked; one that went on was given an answer.
 * @param turn its newest one, as its server tells
 */
export function endGone(store: Store, { id, session_id, turn_id }: Ask, turn: ServedTurn | null, taskId: string | null): void {
  tx(store, () => {
    const { answer, sent_at } = askById(store, id)!;
    const own = turn !== null && turn.id === turn_id ? turn : null;
    // Who died while answering may have sent it, or not.
    if (own === null || answer !== null) endAsk(store, { id, session_id }, UNKNOWN, taskId);
    else if (own.status !== "interrupted") endAsk(store, { id, session_id }, { by: "other", proof: "seen" }, taskId);
    else endAsk(store, { id, session_id }, sent_at === null ? UNKNOWN : UNANSWERED, taskId);
  });
}

/**
 * Puts on record what a session asks now, and that what it asked before and no longer asks has gone away. Gives what it asks, in the order
 * told, but for what has ended since it was told.
 * @param now.since as {@link goneAsks} takes it; @param now.turn its newest one, as its server tells: what tells whether somebody answered what is gone
 * @param now.lives whether a process of this pid runs
 */
export function recordAsks(
  store: Store,
  sessionId: string,
  taskId: string | null,
  told: readonly AgentAsk[],
  { since, turn, lives }: { since: string; turn: ServedTurn | null; lives(pid: number): boolean },
): Ask[] {
  return tx(store, () => {
    const open = openAsks(store, sessionId);
    for (const ask of goneAsks(store, sessionId, told, since)) {
      // Whoever is just answering writes down itself how that went; of one that died doing so nobody can tell.
      if (ask.sender_pid !== null && lives(ask.sender_pid)) continue;
      endGone(store, ask, turn, taskId);
    }
    for (const each of told) {
      const known = open.find((ask) => isSame(ask, each));
      if (known === undefined) {
        if (!hasEnded(store, sessionId, each, since)) addAsk(store, sessionId, taskId, each);
      } else if (known.turn_id !== each.turnId || known.item_id !== each.itemId) noteStep(store, known, each);
    }
    const now = openAsks(store, sessionId);
    return told.flatMap((each) => now.find((ask) => isSame(ask, each)) ?? []);
  });
}

/**
 * Puts on record one thing that a session's server says it asks; one that is on record already stays as it is, and so does one that has
 * ended: a server says it again to everybody who comes.
 */
export function recordAsk(store: Store, sessionId: string, taskId: string | null, told: AgentAsk): void {
  tx(store, () => {
    const open = openAsks(store, sessionId);
    if (open.some((ask) => isSame(ask, told)) || hasEnded(store, sessionId, told, null)) return;
    // The same number for another question: its server was started again meanwhile.
    for (const ask of open) if (ask.request_id === told.requestId) endGone(store, ask, null, taskId);
    addAsk(store, sessionId, taskId, told);
  });
}

const noteStep = (store: Store, { id }: Ask, { turnId, itemId, command }: AgentAsk): void =>
  void store.db.query("update agent_asks set turn_id = ?, item_id = ?, command = ? where id = ?").run(turnId, itemId, command, id);

function addAsk(store: Store, sessionId: string, taskId: string | null, told: AgentAsk): void {
  const id = store.newId("ask");
  const { requestId, threadId, turnId, itemId, kind, question, command, cwd, reason, choices, takesText } = told;
  store.db
    .query(
      `insert into agent_asks (id, session_id, request_id, thread_id, turn_id, item_id, kind, question, command, cwd, reason, choices_json,
         takes_text, asked_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      id,
      sessionId,
      requestId,
      threadId,
      turnId,
      itemId,
      kind,
      question,
      command,
      cwd,
      reason,
      compactJson(choices),
      takesText ? 1 : 0,
      store.now(),
    );
  addEvent(store, { type: "agent_asked", taskId, payload: { ask_id: id, session_id: sessionId, kind, question, command, reason } });
}

/**
 * Before it is sent: what we answer, and for whom; null: we interrupt the turn that asks. False when it has gone away, or moved since it
 * was read: somebody else answers it.
 */
export function claimAnswer(
  store: Store,
  ask: Ask,
  given: { readonly answer: string | null; readonly reason: string | null; readonly askerSessionId: string | null; readonly pid: number },
): boolean {
  return tx(store, () => {
    const claimed = store.db
      .query(
        `update agent_asks set answer = ?, answer_reason = ?, asker_session_id = ?, sent_at = ?, sender_pid = ? where id = ? and
           ended_at is null and sender_pid is ?`,
      )
      .run(given.answer, given.reason, given.askerSessionId, store.now(), given.pid, ask.id, ask.sender_pid);
    return claimed.changes > 0;
  });
}

/** Our answer was not taken, and it is still asked. */
export const releaseAnswer = (store: Store, ask: Ask): void =>
  void store.db
    .query(
      `update agent_asks set answer = null, answer_reason = null, asker_session_id = null, sent_at = null, sender_pid = null where id = ?
         and ended_at is null`,
    )
    .run(ask.id);

/** It is no longer asked, or how it ended is told now. What is known of that stays. */
export function endAsk(store: Store, ask: Pick<Ask, "id" | "session_id">, { by, proof }: AskEnd, taskId: string | null = null): void {
  tx(store, () => {
    const before = askById(store, ask.id)!;
    if (before.ended_at !== null && (before.proof !== null || proof === null)) return;
    store.db
      .query("update agent_asks set ended_at = coalesce(ended_at, ?), answered_by = ?, proof = ? where id = ?")
      .run(store.now(), by, proof, ask.id);
    const { answer, answer_reason: reason, asker_session_id, question, command } = before;
    addEvent(store, {
      type: before.ended_at === null ? "agent_ask_ended" : "agent_ask_settled",
      taskId,
      payload: { ask_id: ask.id, session_id: ask.session_id, question, command, answered_by: by, proof, answer, reason, asker_session_id },
    });
  });
}

export const askById = (store: Store, id: string): Ask | null => {
  const row = store.db.query<Row, [string]>("select * from agent_asks where id = ?").get(id);
  return row === null ? null : read(row);
};

/** What is asked and not answered, oldest first; of one session when it is given. */
export const openAsks = (store: Store, sessionId?: string): Ask[] =>
  (sessionId === undefined
    ? store.db.query<Row, []>("select * from agent_asks where ended_at is null order by asked_at, rowid").all()
    : store.db
        .query<Row, [string]>("select * from agent_asks where session_id = ? and ended_at is null order by asked_at, rowid")
        .all(sessionId)
  ).map(read);

/** What is no longer asked, and of which is not told yet how it ended. */
export const unsettledAsks = (store: Store, sessionId: string): Ask[] =>
  store.db
    .query<Row, [string]>("select * from agent_asks where session_id = ? and ended_at is not null and proof is null order by asked_at")
    .all(sessionId)
    .map(read);
