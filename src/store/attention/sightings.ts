/** `attention_sightings`: what needs a person and has no row of its own, since when it is so, and its name for as long. */
import type { Sighting } from "../../core/attention/item.ts";
import { instant } from "../../core/time.ts";
import { isUnwritten } from "../sqlite-failure.ts";
import { type Store, tx } from "../store.ts";

interface Row extends Sighting {
  readonly key: string;
  readonly ended_at: string | null;
}

const openOf = (store: Store, scope: string): Row[] =>
  store.db
    .query<Row, [string]>("select id, key, began_at, ended_at from attention_sightings where scope = ? and ended_at is null")
    .all(scope);

const isBefore = (one: string | null, other: string | null): boolean => (instant(one) ?? 0) < (instant(other) ?? 0);

/**
 * Puts on record which facts of a task or session are so, and gives them by their keys. What is no longer so has ended, and is another
 * sighting when it comes back. Nothing is written while all is as before.
 * @param lookedAt when it was looked whether a fact is so: what somebody saw later than that stands; null: nobody looked, nothing is known
 */
export function settle(
  store: Store,
  scope: string,
  keys: readonly string[],
  lookedAt: (key: string) => string | null,
): ReadonlyMap<string, Sighting> {
  const given = new Set(keys);
  const plan = () => {
    const open = openOf(store, scope);
    const known = new Set(open.map(({ key }) => key));
    const isOver = (row: Row): boolean => !given.has(row.key) && isBefore(row.began_at, lookedAt(row.key));
    return {
      still: open.filter((row) => !isOver(row)),
      over: open.filter(isOver),
      begun: [...given].filter((key) => !known.has(key) && lookedAt(key) !== null),
    };
  };
  const { still, over, begun } = plan();
  const named = (rows: readonly Row[]): Map<string, Sighting> => new Map(rows.map(({ key, id, began_at }) => [key, { id, began_at }]));
  if (over.length === 0 && begun.length === 0) return named(still);
  try {
    return tx(store, () => {
      const now = plan();
      for (const { id } of now.over) store.db.query("update attention_sightings set ended_at = ? where id = ?").run(store.now(), id);
      return named([...now.still, ...now.begun.map((key) => begin(store, scope, key, lookedAt(key)))]);
    });
  } catch (error) {
    // Who only looks goes on without.
    if (!isUnwritten(error)) throw error;
    return named(still);
  }
}

/** A new sighting; or the last one, which somebody has seen ended after this look. */
function begin(store: Store, scope: string, key: string, lookedAt: string | null): Row {
  const last = store.db
    .query<Row, [string, string]>(
      "select id, key, began_at, ended_at from attention_sightings where scope = ? and key = ? order by ended_at desc limit 1",
    )
    .get(scope, key);
  if (last !== null && !isBefore(last.ended_at, lookedAt)) return last;
  const id = store.newId("attention");
  const row: Row = { id, key, began_at: store.now(), ended_at: null };
  store.db.query("insert into attention_sightings (id, scope, key, began_at) values (?, ?, ?, ?)").run(id, scope, key, row.began_at);
  return row;
}
