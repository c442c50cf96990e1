/** Records that another program wrote: what no reader expects is named in one sentence, and `db-doctor` lists it. */
import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { World } from "../harness.ts";

let w: World;
beforeEach(async () => {
  w = new World();
  await w.ok("create-disposable-binding t1 --goal g");
  await w.ok("enqueue-nudge-worker t1 --message m");
});
afterEach(() => w.close());

const VALUES = ["x'00ff'", "'text'", "1e300", "null", "'[1]'", "''"];
const LINES = [
  "commands",
  "commands --json",
  "replay t1",
  "audit t1 --json",
  "telemetry task t1 --json",
  "telemetry snapshot",
  "dispatch --once",
  "export-task t1",
  "discover t1",
];

const columns = (table: string) => w.rows<{ name: string }>("select name from pragma_table_info(?)", table).map(({ name }) => name);
const spoil = (sql: string): boolean => {
  using db = new Database(w.dbPath);
  db.run("pragma foreign_keys = off; pragma ignore_check_constraints = on");
  try {
    db.run(sql);
    return true;
  } catch {
    // The schema itself forbids it.
    return false;
  }
};

describe.each(["commands", "tasks", "bindings"])("a value of a wrong type in %s", (table) => {
  test("ends in one sentence at most, whatever looks at it", async () => {
    const sound = readFileSync(w.dbPath);
    let tried = 0;
    for (const column of columns(table)) {
      for (const value of VALUES) {
        writeFileSync(w.dbPath, sound);
        if (!spoil(`update ${table} set ${column} = ${value}`)) continue;
        for (const line of LINES) {
          const done = await w.run(line);
          tried++;
          expect([column, value, line, done.exit <= 1, done.stderr]).toEqual([
            column,
            value,
            line,
            true,
            expect.not.stringMatching(/internal error|\n {4}at /),
          ]);
          if (done.exit === 1) expect(done.stderr.trim().split("\n").length).toBeLessThanOrEqual(2);
        }
      }
    }
    expect(tried).toBeGreaterThan(100);
  }, 120_000);
});

test("it is named where it stands, and db-doctor lists all", async () => {
  const [{ row }] = w.rows<{ row: number }>("select rowid as row from commands") as [{ row: number }];
  expect(spoil("update commands set id = x'00ff', attempts = 'many'")).toBe(true);
  const done = await w.run("commands");
  expect(done.stderr.split("\n")[0]).toBe(
    `conveyor: the database ${w.dbPath} holds a value of a wrong type, which another program wrote: commands.id in row ${row} is of type blob`,
  );
  const doctor = await w.run("db-doctor");
  expect([doctor.exit, doctor.json().checks.at(-1)]).toEqual([
    1,
    { name: "value_types", ok: false, wrong: [{ table: "commands", column: "id", row, type: "blob" }] },
  ]);
  const debugged = await w.run("commands", { env: { CONVEYOR_DEBUG: "1" } });
  expect(debugged.stderr).toContain("internal error in commands");
});

test("a null that only damage can leave is named, too", async () => {
  const rule = "goal text not null";
  const say = (now: string, then: string) => {
    const text = readFileSync(w.dbPath, "latin1");
    expect(text).toContain(now);
    writeFileSync(w.dbPath, text.replaceAll(now, then), "latin1");
  };
  say(rule, "goal text         ");
  expect(spoil("update tasks set goal = null")).toBe(true);
  say("goal text         ", rule);
  const done = await w.run("tasks");
  expect([done.exit, done.stderr]).toEqual([1, expect.stringContaining("tasks.goal in row 1 is missing")]);
  expect((await w.run("db-doctor")).json().checks.at(-1).wrong).toEqual([{ table: "tasks", column: "goal", row: 1, type: "null" }]);
});

describe("a schema that cannot be read", () => {
  const cases: Readonly<Record<string, readonly [from: string, to: string]>> = {
    "a comma for a bracket": ["create table commands (", "create table commands ,"],
    "a word that is none": ["create table events (", "create tabel events ("],
    "an index on nothing": ["on transcript_segments", "on transcript_segmentz"],
    "bytes that are no text": ["create table commands (", "create table comman\u0001\u0002 ("],
  };
  test.each(Object.keys(cases))("%s is damage, in one short line", async (name) => {
    const [from, to] = cases[name]!;
    const bytes = readFileSync(w.dbPath);
    const at = bytes.toString("latin1").toLowerCase().indexOf(from);
    expect([name, at > 0]).toEqual([name, true]);
    bytes.write(to, at);
    writeFileSync(w.dbPath, bytes);
    for (const line of ["tasks", "db-doctor", "telemetry snapshot", "tasks --create x --goal g"]) {
      const done = await w.run(line);
      expect([line, done.exit, done.stdout]).toEqual([line, 1, ""]);
      const [said, hint, ...rest] = done.stderr.trim().split("\n");
      expect([rest.length, said!.length < 400]).toEqual([0, true]);
      expect(said).toContain("is damaged (malformed database schema");
      expect(said!.toLowerCase()).not.toContain("primary key");
      expect(hint).toStartWith("hint: end every watch and dashboard on it, then move it away: mv ");
    }
  });
});
