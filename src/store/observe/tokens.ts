/** `token_totals`: the tokens that sessions used, by the task they were bound to at that time. */
import { TOKEN_KINDS, type Tokens, tokensBetween } from "../../core/observe/tokens.ts";
import type { Role } from "../../core/sessions/session.ts";
import { instant } from "../../core/time.ts";
import type { Store } from "../store.ts";

/** A count as the rollout gives it: everything the thread has used up to that time. */
export interface TokenCount {
  readonly at: string | null;
  /** null: here a file of another thread begins, which counts from zero. */
  readonly used: Tokens | null;
}

interface TokenTotal extends Tokens {
  /** Name of the session. */
  readonly session: string;
  readonly role: Role;
  readonly updated_at: string;
}

const columns = TOKEN_KINDS.join(", ");

interface Span {
  readonly task_id: string;
  readonly created_at: string;
  readonly ended_at: string | null;
}

/** Adds what new counts of a session say, in their order. Call it inside the transaction that stores the records. */
export function addTokenCounts(store: Store, sessionId: string, counts: readonly TokenCount[]): void {
  if (counts.length === 0) return;
  const { db } = store;
  let before = db.query<Tokens, [string]>(`select ${columns} from token_marks where session_id = ?`).get(sessionId);
  const spans = db
    .query<Span, [string, string]>(
      `select task_id, created_at, ended_at from bindings where (worker_session_id = ?1 or manager_session_id = ?2) and state <>
        'invalid' order by created_at desc`,
    )
    .all(sessionId, sessionId);
  const add = db.query(
    `insert into token_totals (session_id, task_id, ${columns}, updated_at) values (?, ?, ?, ?, ?, ?, ?, ?)
     on conflict (session_id, task_id) do update set ${TOKEN_KINDS.map((kind) => `${kind} = ${kind} + excluded.${kind}`).join(", ")}, updated_at = excluded.updated_at`,
  );
  const now = store.now();
  for (const { at, used } of counts) {
    const more = used && tokensBetween(before, used);
    before = used;
    if (more && more.total_tokens > 0) add.run(sessionId, taskAt(spans, at ?? now), ...TOKEN_KINDS.map((kind) => more[kind]), now);
  }
  if (before === null) db.query("delete from token_marks where session_id = ?").run(sessionId);
  else
    db.query(`insert or replace into token_marks (session_id, ${columns}) values (?, ?, ?, ?, ?, ?)`).run(
      sessionId,
      ...TOKEN_KINDS.map((kind) => before![kind]),
    );
}

function taskAt(spans: readonly Span[], at: string): string {
  const when = instant(at) ?? Number.NaN;
  const [span, before] = spans.filter(
    (each) => when >= instant(each.created_at)! && (each.ended_at === null || when <= instant(each.ended_at)!),
  );
  // Where one has begun before the other ended, a manager leads several: what it uses then belongs to none of them alone.
  const isShared =
    span !== undefined && before !== undefined && (before.ended_at === null || instant(before.ended_at)! > instant(span.created_at)!);
  return span === undefined || isShared ? "" : span.task_id;
}

/** All tokens that this session has used for this task, cached ones among them; null: it has told of none. */
export const tokensIn = (store: Store, sessionId: string, taskId: string): number | null =>
  store.db
    .query<{ total_tokens: number }, [string, string]>("select total_tokens from token_totals where session_id = ? and task_id = ?")
    .get(sessionId, taskId)?.total_tokens ?? null;

/** What each session has used for this task, while it was bound to it. */
export const tokensOfTask = (store: Store, taskId: string): TokenTotal[] =>
  store.db
    .query<TokenTotal, [string]>(
      `select s.name as session, s.role, ${columns}, t.updated_at from token_totals t join sessions s on s.id = t.session_id where
        t.task_id = ? order by s.name`,
    )
    .all(taskId);
