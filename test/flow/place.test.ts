/** Records that are taken away under what runs long: each ends with one sentence, and nothing is written where nobody will look. */
import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { cpSync, mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { runDashboard } from "../../src/dashboard/run.ts";
import { createTask } from "../../src/store/tasks/tasks.ts";
import { run } from "../../src/run.ts";
import { until, words, World } from "../harness.ts";
import { boundPair } from "../rollout.ts";

let w: World;
beforeEach(async () => {
  w = new World();
  w.realTime = true;
  await boundPair(w);
});
afterEach(() => w.close());

const elsewhere = () => join(w.dir, "elsewhere");

/** Another database of ours, closed. */
function another(): string {
  const path = join(w.dir, "another.db");
  const cx = w.context();
  createTask(cx.store(path), { name: "other", goal: "g" });
  cx.close();
  return path;
}

interface Started {
  out: string;
  err: string;
  exit: Promise<number>;
}

/** A command that goes on, with what it has printed so far. */
function started(line: string): Started {
  const it: Started = { out: "", err: "", exit: Promise.resolve(-1) };
  it.exit = run(
    words(line),
    w.context({}, (stream, text) => void (it[stream] += text)),
  );
  return it;
}

const removeLog = () => ["-wal", "-shm"].forEach((part) => rmSync(`${w.dbPath}${part}`));

const WAYS: Readonly<Record<string, readonly [lose: () => void, said: string]>> = {
  "its folder is moved": [() => renameSync(w.stateRoot, elsewhere()), "was moved away or removed"],
  "its folder is removed": [() => rmSync(w.stateRoot, { recursive: true }), "was moved away or removed"],
  "its folder is moved and another one made": [
    () => {
      renameSync(w.stateRoot, elsewhere());
      w.context().store();
    },
    "was replaced by another file",
  ],
  "another file is renamed over it": [() => renameSync(another(), w.dbPath), "was replaced by another file"],
  "the file alone is removed": [() => rmSync(w.dbPath), "was moved away or removed"],
  "its folder becomes a link to a copy": [
    () => {
      cpSync(w.stateRoot, elsewhere(), { recursive: true });
      renameSync(w.stateRoot, join(w.dir, "old"));
      symlinkSync(elsewhere(), w.stateRoot);
    },
    "was replaced by another file",
  ],
  "its folder becomes a file": [
    () => {
      renameSync(w.stateRoot, elsewhere());
      cpSync(another(), w.stateRoot);
    },
    "was moved away or removed",
  ],
  "its log is removed": [() => removeLog(), "log of the database"],
  "its log is removed, and another one begun": [
    () => {
      removeLog();
      w.binary(["tasks"]);
    },
    "log of the database",
  ],
  "a newer program takes it over": [
    () => {
      using newer = new Database(w.dbPath);
      newer.run("pragma user_version = 23");
    },
    "schema version 23, newer than 22",
  ],
};

describe.each(Object.keys(WAYS))("when %s", (way) => {
  const [lose, said] = WAYS[way]!;

  test("every watch, wait and page ends with one sentence, long before its interval", async () => {
    const lines = [
      "dispatch --watch --interval 300",
      "worker-inbox t1 --wait --timeout 300 --interval 300",
      "manager-inbox t1 --consume-next --wait --timeout 300 --interval 300",
      "replay t1 --follow",
    ];
    const ended = lines.map((line) => started(line));
    const page = { text: "" };
    const shown = runDashboard(
      w.context({}, (_, text) => void (page.text += text)),
      { command: [], host: "127.0.0.1", port: 0, task: null, url: "", ensure_dispatch: false, dispatch_command: null },
      { path: undefined, dispatcherId: "d", ownProgram: false, open: false, json: false },
    ).then(
      () => "it ended without a word",
      (error: Error) => error.message,
    );
    await until("that all are at it", () => {
      const [there] = w.rows<{ n: number }>("select (select count(*) from inbox_polls) + (select count(*) from dispatchers) as n");
      return there!.n === 3 && ended[3]!.out !== "" && page.text.includes("http://");
    });
    lose();
    for (const [at, each] of ended.entries()) {
      expect([lines[at], await each.exit, each.err]).toEqual([lines[at], 1, expect.stringContaining(said)]);
      expect(each.err.trim().split("\n")).toEqual([expect.stringMatching(/^conveyor: /), expect.stringMatching(/^hint: /)]);
    }
    expect(await shown).toContain(said);
  }, 30_000);

  test("nothing is written into it any more", () => {
    const store = w.store();
    lose();
    expect(() => createTask(store, { name: "late", goal: "g" })).toThrow(said);
    expect(store.db.query("select 1 from tasks where name = 'late'").all()).toEqual([]);
  });
});

test("rows that others wrote into a new log are not overwritten by who wrote into the one that was removed", () => {
  const cx = w.context();
  const store = cx.store();
  createTask(store, { name: "before", goal: "g" });
  removeLog();
  // Connections of one process share a log.
  expect(w.binary(["tasks", "--create", "since", "--goal", "g"]).exit).toBe(0);
  cx.close();
  expect(w.rows("select name from tasks where name = 'since'")).toHaveLength(1);
  expect(w.rows("pragma integrity_check")).toEqual([{ integrity_check: "ok" }]);
});

test("a file that stays, in a folder where others come and go, disturbs nobody", async () => {
  const waiting = w.run("worker-inbox t1 --wait --timeout 3 --interval 300 --json");
  mkdirSync(join(w.stateRoot, "artifacts"));
  await w.ok("tasks --create t2 --goal g");
  rmSync(join(w.stateRoot, "artifacts"), { recursive: true });
  expect((await waiting).json().wait.timed_out).toBe(true);
}, 30_000);
