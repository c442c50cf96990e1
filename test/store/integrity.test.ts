/** The whole check of `db-doctor`: it must find what SQLite's own check finds, also what a quick one does not. */
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../src/core/failure.ts";
import { checkHealth } from "../../src/store/health.ts";
import { checkIntegrity } from "../../src/store/integrity.ts";
import { openStore } from "../../src/store/open.ts";
import { addTelemetry } from "../../src/store/record/telemetry.ts";
import { createTask } from "../../src/store/tasks/tasks.ts";
import { folder, source } from "./opening.ts";

let sound: Buffer | undefined;

/** A file with rows in several tables, and a few free pages. */
function soundFile(): Buffer {
  if (sound) return sound;
  const path = join(folder(), "sound.db");
  const store = openStore(path, source());
  for (let at = 0; at < 60; at++) {
    const { id } = createTask(store, { name: `task ${at % 50}`, goal: "g".repeat(30 + at * 7) });
    addTelemetry(store, {
      taskId: id,
      actor: "system",
      type: "made",
      severity: "info",
      summary: `words ${at} of many`,
      correlation: {},
      attributes: { at },
    });
  }
  store.db.run("create table big (x); insert into big values (zeroblob(60000)); drop table big");
  store.db.run("pragma wal_checkpoint(truncate)");
  store.db.close();
  sound = readFileSync(path);
  return sound;
}

const PAGE = 4096;

/** What SQLite says in one piece; false for anything but "ok". */
function whole(path: string): boolean {
  try {
    using db = new Database(path);
    return Object.values(db.query("pragma integrity_check").get() as object)[0] === "ok";
  } catch {
    return false;
  }
}

/** What `db-doctor` would say: refused, or the checks that failed. */
function ours(path: string): string[] {
  try {
    const store = openStore(path, source());
    try {
      return [...checkHealth(store).checks, checkIntegrity(store)].filter(({ ok }) => !ok).map(({ name }) => name);
    } finally {
      store.db.close();
    }
  } catch (error) {
    if (error instanceof Failure) return ["refused"];
    throw error;
  }
}

const file = (bytes: Buffer): string => {
  const path = join(folder(), "case.db");
  writeFileSync(path, bytes);
  return path;
};

/** The same numbers at every run. */
function dice(seed: number): (below: number) => number {
  let state = seed * 2654435761 + 1;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 374761393) >>> 0;
    return (state >>> 3) % below;
  };
}

/** A place behind the first page where something stands. */
function written(bytes: Buffer, roll: (below: number) => number): number {
  for (;;) {
    const at = PAGE + roll(bytes.length - PAGE - 64);
    if (bytes[at] !== 0) return at;
  }
}

const KINDS: Readonly<Record<string, (bytes: Buffer, roll: (below: number) => number) => Buffer>> = {
  "a few bytes of a page overwritten": (bytes, roll) => {
    const at = written(bytes, roll);
    for (let n = 0; n < 1 + roll(40); n++) bytes[at + n] = roll(256);
    return bytes;
  },
  "one bit turned over": (bytes, roll) => {
    const at = written(bytes, roll);
    bytes[at] = bytes[at]! ^ (1 << roll(8));
    return bytes;
  },
  "a page of zeros": (bytes, roll) => bytes.fill(0, ...pageAt(1 + roll(bytes.length / PAGE - 1))),
  "two pages in each other's place": (bytes, roll) => {
    const [a, b] = [pageAt(1 + roll(bytes.length / PAGE - 1)), pageAt(1 + roll(bytes.length / PAGE - 1))];
    const kept = Buffer.from(bytes.subarray(...a));
    bytes.copyWithin(a[0], ...b);
    kept.copy(bytes, b[0]);
    return bytes;
  },
  "the end cut off": (bytes, roll) => bytes.subarray(0, (1 + roll(bytes.length / PAGE - 1)) * PAGE),
};
const pageAt = (number: number): [number, number] => [number * PAGE, (number + 1) * PAGE];

describe.each(Object.keys(KINDS))("%s", (kind) => {
  test("is found exactly where SQLite's own check finds it", () => {
    let found = 0;
    for (let seed = 1; seed <= 30; seed++) {
      const path = file(KINDS[kind]!(Buffer.from(soundFile()), dice(seed)));
      // Ours first: a look of SQLite's own at a file without its shape may leave nothing to look at.
      const failed = ours(path);
      const well = whole(path);
      if (!well) found++;
      if (!well) expect([kind, seed, failed]).not.toEqual([kind, seed, []]);
      else expect([kind, seed, failed.filter((name) => name === "integrity_check")]).toEqual([kind, seed, []]);
    }
    expect(found).toBeGreaterThan(5);
  }, 60_000);
});

/** The file with one byte changed wherever `text` stands, each time at another place. */
function changed(text: string): string[] {
  const bytes = soundFile();
  const paths: string[] = [];
  for (let at = bytes.indexOf(text); at !== -1; at = bytes.indexOf(text, at + 1)) {
    const copy = Buffer.from(bytes);
    copy[at + text.length - 1] = "x".charCodeAt(0);
    paths.push(file(copy));
  }
  return paths;
}

const says = (path: string, pragma: string): string => {
  using db = new Database(path);
  return Object.values(db.query(`pragma ${pragma}`).get() as object)[0];
};

test("an index that disagrees with its table, which a quick check does not see", () => {
  const unseen = changed("task-11").filter((path) => says(path, "quick_check") === "ok" && says(path, "integrity_check") !== "ok");
  expect(unseen.length).toBeGreaterThan(0);
  for (const path of unseen) expect(ours(path)).toContain("integrity_check");
});

test("a row that its table forbids", () => {
  const forbidden = changed("candidate").filter((path) => says(path, "integrity_check").includes("CHECK constraint failed in tasks"));
  expect(forbidden.length).toBeGreaterThan(0);
  for (const path of forbidden) expect(ours(path)).toContain("integrity_check");
});

test("what is wrong is named, with what to do", () => {
  const path = changed("task-11").find((each) => says(each, "quick_check") === "ok" && says(each, "integrity_check") !== "ok")!;
  const store = openStore(path, source());
  const check = checkIntegrity(store);
  expect(check).toMatchObject({ name: "integrity_check", ok: false, hint: expect.stringContaining(`mv ${path} ${path}.damaged`) });
  expect((check.errors as string[]).join()).toContain("missing from index");
  store.db.close();
});

test("the parts are told before they are done, in their order", () => {
  const store = openStore(file(Buffer.from(soundFile())), source());
  const told: string[] = [];
  let last = -1;
  expect(checkIntegrity(store, (part, done, parts) => (told.push(part), expect([done, done < parts]).toEqual([++last, true])))).toEqual({
    name: "integrity_check",
    ok: true,
    errors: [],
  });
  expect(told[0]).toBe("the pages");
  expect(told).toContain("tasks");
  store.db.close();
});
