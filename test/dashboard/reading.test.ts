/** What the dashboard reads while a page is open: a problem is told when it begins and when it comes back, not at every try. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { readFileSync, truncateSync } from "node:fs";
import { Reading } from "../../src/dashboard/reading.ts";
import { World } from "../harness.ts";
import { boundPair, event, meta, type Pair, THREAD } from "../rollout.ts";

let w: World;
let pair: Pair;
let problems: string[];
let reading: Reading;
beforeEach(async () => {
  w = new World();
  w.realTime = true;
  pair = await boundPair(w);
  problems = [];
  const cx = w.context();
  reading = new Reading(cx, cx.store(), (message) => void problems.push(message));
});
afterEach(() => {
  reading.watch(false);
  w.close();
});

/** A page comes, for which all is read at once, and goes. */
function look(): void {
  reading.watch(true);
  reading.watch(false);
}
const stored = () => w.rows<{ n: number }>("select count(*) as n from codex_events")[0]!.n;

for (const [role, thread] of [
  ["worker", THREAD.worker],
  ["manager", THREAD.manager],
] as const) {
  test(`the ${role}'s rollout that cannot be read is told once, whatever the words, and again when that comes back`, async () => {
    const { path, append } = pair[role];
    append(event({ type: "task_started" }));
    look();
    for (const size of [0, 1, 2]) {
      truncateSync(path, size);
      look();
    }
    expect(problems).toEqual([expect.stringContaining("0 are there")]);
    await Bun.write(path, meta(thread) + event({ type: "task_started" }) + event({ type: "task_complete" }));
    look();
    expect(problems).toHaveLength(1);
    truncateSync(path, 0);
    look();
    expect(problems).toEqual([expect.stringContaining("0 are there"), expect.stringContaining("0 are there")]);
  });
}

for (const role of ["worker", "manager"] as const) {
  test(`the ${role}'s rollout that is back as it was is read, though it did not grow, and its next trouble is a new one`, async () => {
    const { path, append } = pair[role];
    look();
    append(event({ type: "task_complete" }));
    const whole = readFileSync(path);
    const other = "9".repeat(8);
    await Bun.write(path, whole.toString().replace(/[0-9]{8}(?=-[0-9]{4}-4)/, other));
    for (let n = 0; n < 3; n++) look();
    expect(problems).toEqual([expect.stringContaining("was replaced")]);
    await Bun.write(path, whole);
    look();
    expect(w.rows("select 1 from codex_events where subtype = 'task_complete'")).toHaveLength(1);

    truncateSync(path, 0);
    look();
    await Bun.write(path, whole);
    look();
    truncateSync(path, 0);
    look();
    expect(problems.slice(1)).toEqual([expect.stringContaining("0 are there"), expect.stringContaining("0 are there")]);
  });
}

test("a reading that had nothing to write does not end the trouble of those that have", () => {
  look();
  pair.worker.append(event({ type: "token_count" }));
  w.store().db.run("create trigger broken before insert on codex_events begin select raise(abort, 'disk on fire'); end");
  reading.watch(true);
  reading["read"](false);
  reading.watch(false);
  look();
  expect(problems).toEqual(["disk on fire"]);
});

test("records that cannot be written are told once, again when that comes back, and what was not stored is read then", () => {
  const { db } = w.store();
  let n = 0;
  const breakIt = () => {
    db.run(`create trigger broken before insert on codex_events begin select raise(abort, 'disk on fire, part ${++n}'); end`);
    look();
  };
  const mend = () => {
    db.run("drop trigger broken");
  };
  pair.manager.append(event({ type: "task_started" }));
  breakIt();
  mend();
  breakIt();
  expect(problems).toEqual(["disk on fire, part 1"]);
  mend();
  look();
  expect(stored()).toBe(3);
  pair.manager.append(event({ type: "task_complete" }));
  breakIt();
  expect(problems).toEqual(["disk on fire, part 1", "disk on fire, part 3"]);
});
