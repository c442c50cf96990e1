/** `deliveries` and `delivery_steps`: every text that was sent to a session, how, and what proves it. The text itself is not kept. */
import { SQLiteError } from "bun:sqlite";
import type { DeliveryState, DeliveryStep, Proof, ProofPlace, Transport } from "../core/delivery/delivery.ts";
import { compactJson, parseStored } from "../core/json.ts";
import { rows } from "./reading.ts";
import { type Store, tx } from "./store.ts";

/** A row of `deliveries`. */
export interface Delivery {
  readonly id: string;
  /** Which command sent it. */
  readonly origin: string;
  /** null for a worker that is no registered session. */
  readonly session_id: string | null;
  readonly session_name: string;
  readonly task_id: string | null;
  readonly command_id: string | null;
  readonly notification_id: number | null;
  /** Our own id for it, which an agent's queue hands on into the rollout. */
  readonly client_id: string;
  readonly transport: Transport | null;
  readonly state: DeliveryState;
  readonly proof: Proof;
  readonly text_digest: string;
  readonly text_lines: number;
  readonly text_length: number;
  readonly thread_id: string | null;
  readonly rollout_path: string | null;
  /** Where the rollout ended when it began. */
  readonly start_offset: number | null;
  /** Up to here the proof was looked for. */
  readonly looked_to: number | null;
  readonly proof_offset: number | null;
  readonly proof_line: number | null;
  readonly side_effect_started: number;
  readonly side_effect_completed: number;
  readonly sender_pid: number;
  readonly error: string | null;
  readonly created_at: string;
  readonly finished_at: string | null;
}

export type NewDelivery = Omit<
  Delivery,
  "proof_offset" | "proof_line" | "looked_to" | "created_at" | "finished_at" | "side_effect_completed"
>;

/** Inserts a row, finished at once unless its state is `sending`, with the steps so far. */
export function addDelivery(store: Store, row: NewDelivery, steps: readonly DeliveryStep[]): void {
  tx(store, () => {
    const now = store.now();
    store.db
      .query(
        `insert into deliveries (id, origin, session_id, session_name, task_id, command_id, notification_id, client_id, transport, state, proof, text_digest, text_lines,
           text_length, thread_id, rollout_path, start_offset, looked_to, side_effect_started, side_effect_completed, sender_pid, error,
             created_at, finished_at)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?)`,
      )
      .run(
        row.id,
        row.origin,
        row.session_id,
        row.session_name,
        row.task_id,
        row.command_id,
        row.notification_id,
        row.client_id,
        row.transport,
        row.state,
        row.proof,
        row.text_digest,
        row.text_lines,
        row.text_length,
        row.thread_id,
        row.rollout_path,
        row.start_offset,
        row.start_offset,
        row.side_effect_started,
        row.sender_pid,
        row.error,
        now,
        row.state === "sending" ? null : now,
      );
    addSteps(store, row.id, steps);
  });
}

/** A sending that begun by one way and certainly did not arrive goes on by another. */
export function redirectDelivery(
  store: Store,
  id: string,
  way: Pick<Delivery, "transport" | "proof" | "rollout_path" | "start_offset">,
  steps: readonly DeliveryStep[],
): void {
  tx(store, () => {
    store.db
      .query("update deliveries set transport = ?, proof = ?, rollout_path = ?, start_offset = ?, looked_to = ? where id = ?")
      .run(way.transport, way.proof, way.rollout_path, way.start_offset, way.start_offset, id);
    addSteps(store, id, steps);
  });
}

/** How a delivery ended, or stands now. */
interface DeliveryEnd {
  readonly state: DeliveryState;
  readonly proof: Proof;
  readonly sideEffectStarted: boolean;
  readonly sideEffectCompleted: boolean;
  readonly error: string | null;
  readonly lookedTo: number | null;
}

/** Writes the verdict and the further steps. */
export function endDelivery(store: Store, id: string, end: DeliveryEnd, steps: readonly DeliveryStep[]): void {
  tx(store, () => {
    store.db
      .query(
        `update deliveries set state = ?, proof = ?, side_effect_started = ?, side_effect_completed = ?, error = ?, looked_to =
          coalesce(?, looked_to), finished_at = ? where id = ?`,
      )
      .run(end.state, end.proof, end.sideEffectStarted ? 1 : 0, end.sideEffectCompleted ? 1 : 0, end.error, end.lookedTo, store.now(), id);
    addSteps(store, id, steps);
  });
}

function addSteps(store: Store, id: string, steps: readonly DeliveryStep[]): void {
  const last =
    store.db.query<{ last: number | null }, [string]>("select max(position) as last from delivery_steps where delivery_id = ?").get(id)
      ?.last ?? 0;
  const insert = store.db.query("insert into delivery_steps (delivery_id, position, at, step, detail_json) values (?, ?, ?, ?, ?)");
  steps.forEach((step, index) => insert.run(id, last + index + 1, step.at, step.step, compactJson(step.detail)));
}

/** A sending by an agent's protocol whose text is not in the record yet. */
export interface UnderWay {
  readonly delivery: Delivery;
  readonly text: string;
}

/** Keeps the text of a sending until it is proven, or has certainly not arrived. */
export const keepText = (store: Store, id: string, text: string): void =>
  void store.db.query("insert or ignore into texts_under_way (delivery_id, text) values (?, ?)").run(id, text);

/** Its text can no longer be said again. */
export const dropText = (store: Store, id: string): void =>
  void store.db.query("delete from texts_under_way where delivery_id = ?").run(id);

export const noteLost = (store: Store, ids: readonly string[]): void => {
  if (ids.length === 0) return;
  tx(store, () => ids.forEach((id) => void store.db.query("update texts_under_way set lost = 1 where delivery_id = ?").run(id)));
};

/** Texts under way, oldest first; of one session when it is given. */
export const textsUnderWay = (store: Store, sessionId?: string): UnderWay[] =>
  store.db
    .query<Delivery & { kept: string }, [string | null]>(
      `select d.*, t.text as kept from texts_under_way t join deliveries d on d.id = t.delivery_id
        where ?1 is null or d.session_id = ?1 order by d.created_at, d.rowid`,
    )
    .all(sessionId ?? null)
    .map(({ kept, ...delivery }) => ({ delivery, text: kept }));

/** They were looked at: until something new is told of them, only time brings the next look. */
export const noteSeen = (store: Store, ids: readonly string[]): void => {
  if (ids.length === 0) return;
  tx(store, () =>
    ids.forEach((id) => void store.db.query("update texts_under_way set lost = 0 where delivery_id = ? and lost = 1").run(id)),
  );
};

export const someLost = (store: Store): boolean => store.db.query("select 1 from texts_under_way where lost = 1 limit 1").get() !== null;

/** Takes it upon this process to say a text again; false when it moved since it was seen. */
export function claimSayingAgain(store: Store, seen: Delivery, pid: number, steps: readonly DeliveryStep[]): boolean {
  return tx(store, () => {
    const claimed = store.db
      .query("update deliveries set state = 'sending', sender_pid = ?, finished_at = null where id = ? and state = ? and sender_pid = ?")
      .run(pid, seen.id, seen.state, seen.sender_pid);
    if (claimed.changes === 0) return false;
    store.db.query("update texts_under_way set lost = 0 where delivery_id = ?").run(seen.id);
    addSteps(store, seen.id, steps);
    return true;
  });
}

/** Takes a place in a rollout as the proof of one delivery; false when it proves another one already. */
export function claimProof(store: Store, id: string, place: ProofPlace): boolean {
  try {
    tx(
      store,
      () => void store.db.query("update deliveries set proof_offset = ?, proof_line = ? where id = ?").run(place.offset, place.line, id),
    );
    return true;
  } catch (error) {
    if (error instanceof SQLiteError && error.code === "SQLITE_CONSTRAINT_UNIQUE") return false;
    throw error;
  }
}

/** Remembers up to where the proof of these was looked for. */
export function noteLooked(store: Store, looked: readonly { readonly id: string; readonly lookedTo: number }[]): void {
  if (looked.length === 0) return;
  const note = store.db.query("update deliveries set looked_to = ?1 where id = ?2 and coalesce(looked_to, -1) < ?1");
  tx(store, () => looked.forEach(({ id, lookedTo }) => void note.run(lookedTo, id)));
}

/**
 * Texts that may stand in one record of this rollout together: what is open there or still looked for in an earlier file of the thread, and
 * what has its proof at this very place.
 */
export const textsAround = (
  store: Store,
  { path, offset, threadId }: { path: string; offset: number; threadId: string | null },
): { digest: string; lines: number }[] =>
  store.db
    .query<{ digest: string; lines: number }, [string, number, string | null]>(
      `select text_digest as digest, text_lines as lines from deliveries where rollout_path = ?1 and proof_offset = ?2
       union all
       select text_digest, text_lines from deliveries where state in ('sending', 'typed', 'unknown') and proof_offset is null and
         iif(rollout_path = ?1, start_offset <= ?2, thread_id = ?3)`,
    )
    .all(path, offset, threadId);

/** The thread of an open delivery was rewound and goes on in this file: its proof is looked for there, from the beginning. */
export function followDelivery(store: Store, id: string, path: string): void {
  tx(store, () => {
    const done = store.db
      .query("update deliveries set rollout_path = ?1, start_offset = 0, looked_to = 0 where id = ?2 and proof_offset is null")
      .run(path, id);
    if (done.changes > 0) addSteps(store, id, [{ at: store.now(), step: "followed the rewind", detail: { rollout: path } }]);
  });
}

/** The delivery to which we gave this id; null for an id of somebody else. */
export const deliveryOfClient = (store: Store, clientId: string): string | null =>
  store.db.query<{ id: string }, [string]>("select id from deliveries where client_id = ?").get(clientId)?.id ?? null;

export const deliveryById = (store: Store, id: string): Delivery | null =>
  store.db.query<Delivery, [string]>("select * from deliveries where id = ?").get(id);

/** That a sending was for this task, by itself or with others: `d` is its row. */
const ofTask = (task: string): string =>
  `(d.task_id = ${task} or d.id in (select m.delivery_id from digest_messages m join routed_notifications n on n.id = m.notification_id
    where n.task_id = ${task}))`;

/** Deliveries, youngest first: all, or those to the session or worker of this name and those of this task. */
export const listDeliveries = (
  store: Store,
  filter: { name?: string | undefined; taskId?: string | undefined; limit: number },
): Delivery[] =>
  store.db
    .query<Delivery, [string | null, string | null, number]>(
      `select d.* from deliveries d where (?1 is null and ?2 is null) or session_name = ?1 or ${ofTask("?2")} order by created_at desc,
        d.rowid desc limit ?3`,
    )
    .all(filter.name ?? null, filter.taskId ?? null, filter.limit);

/** All deliveries for the task, oldest first, one by one. */
export const deliveriesOfTask = (store: Store, taskId: string): Generator<Delivery> =>
  rows<Delivery>(store, `select d.* from deliveries d where ${ofTask("?1")} order by created_at, d.rowid`, taskId);

const LEFT = "left the composer";

/** From now on another may type there. */
export const noteLeft = (store: Store, id: string, at: string): void =>
  tx(store, () => addSteps(store, id, [{ at, step: LEFT, detail: {} }]));

/** Sendings whose words may still stand in the composer of the session. */
export const stillTyping = (store: Store, sessionId: string | null, transport: Transport): Delivery[] =>
  store.db
    .query<Delivery, [string | null, Transport, string]>(
      `select * from deliveries d where session_id = ? and transport = ? and state = 'sending' and not exists
         (select 1 from delivery_steps where delivery_id = d.id and step = ?)`,
    )
    .all(sessionId, transport, LEFT);

/** Those whose outcome is open, oldest first. */
export const openDeliveries = (store: Store): Delivery[] =>
  store.db.query<Delivery, []>("select * from deliveries where state in ('sending', 'typed', 'unknown') order by created_at, rowid").all();

/** What a sending tells of, by the number of each notification: `d` is the row of the sending. */
export const tellsOf = (notification: string): string =>
  `(d.notification_id = ${notification} or d.id in (select delivery_id from digest_messages where notification_id = ${notification}))`;

/** The newest begun sending of a notification, alone or with others, or null. */
export const lastBegun = (store: Store, notificationId: number): Delivery | null =>
  store.db
    .query<Delivery, [number]>(
      `select d.* from deliveries d where ${tellsOf("?1")} and side_effect_started = 1 order by created_at desc, d.rowid desc limit 1`,
    )
    .get(notificationId);

export const deliverySteps = (store: Store, id: string): DeliveryStep[] =>
  store.db
    .query<{ at: string; step: string; detail_json: string }, [string]>(
      "select at, step, detail_json from delivery_steps where delivery_id = ? order by position",
    )
    .all(id)
    .map(({ at, step, detail_json }) => ({ at, step, detail: parseStored<Record<string, unknown>>(detail_json, {}) }));
