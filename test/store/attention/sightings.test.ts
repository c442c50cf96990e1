/** What passes and comes back: one name while it lasts, another the next time, whoever looks and whenever they looked. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { settle } from "../../../src/store/attention/sightings.ts";
import type { Store } from "../../../src/store/store.ts";
import { World } from "../../harness.ts";

let w: World;
let store: Store;
beforeEach(() => {
  w = new World();
  store = w.store();
});
afterEach(() => w.close());

/** A look that began just now, or when it is said. */
const look = (keys: string[], at: string | null = store.now(), scope = "task-1") => settle(store, scope, keys, () => at);
const rows = () => w.rows<{ key: string; ended_at: string | null }>("select key, ended_at from attention_sightings order by rowid");

test("the name stays while it is so, and nothing is written then", () => {
  const first = look(["trust s1 folder_trust", "stale_proof"]);
  const before = store.db.query("select total_changes() as n").get();
  const second = look(["stale_proof", "trust s1 folder_trust"]);
  expect(second).toEqual(first);
  expect(store.db.query("select total_changes() as n").get()).toEqual(before);
  expect(new Set([...first.values()].map(({ id }) => id)).size).toBe(2);
});

test("what comes back is another one, and so is the same of another task", () => {
  const first = look(["unbound"]).get("unbound")!;
  expect(look([]).size).toBe(0);
  const second = look(["unbound"]).get("unbound")!;
  const other = look(["unbound"], store.now(), "task-2").get("unbound")!;
  expect(new Set([first.id, second.id, other.id]).size).toBe(3);
  expect(second.began_at > first.began_at).toBe(true);
  expect(rows().map(({ ended_at }) => ended_at === null)).toEqual([false, true, true]);
});

test("an older look neither ends what somebody has seen since, nor brings back what somebody has seen end", () => {
  const old = store.now();
  const { id } = look(["gone s1 7"]).get("gone s1 7")!;
  expect(look([], old).get("gone s1 7")?.id).toBe(id);
  expect(rows()).toEqual([{ key: "gone s1 7", ended_at: null }]);
  const older = store.now();
  look([]);
  expect(look(["gone s1 7"], older).get("gone s1 7")?.id).toBe(id);
  expect(rows()).toHaveLength(1);
  expect(rows()[0]!.ended_at).not.toBeNull();
});

test("who has not looked changes nothing, and learns the names", () => {
  const { id } = look(["trust s1 folder_trust"]).get("trust s1 folder_trust")!;
  expect([...look([], null).values()].map((each) => each.id)).toEqual([id]);
  expect(look(["stale_proof"], null).has("stale_proof")).toBe(false);
  expect(rows()).toEqual([{ key: "trust s1 folder_trust", ended_at: null }]);
});

test("where nothing can be written, looking goes on without names", () => {
  const { id } = look(["unbound"]).get("unbound")!;
  store.db.run("pragma query_only = on");
  expect(look(["unbound", "proposals"]).get("unbound")?.id).toBe(id);
  expect(look(["proposals"]).has("proposals")).toBe(false);
  store.db.run("pragma query_only = off");
  expect(rows()).toEqual([{ key: "unbound", ended_at: null }]);
});
