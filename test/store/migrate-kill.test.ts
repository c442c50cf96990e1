/** A migration that is killed at any moment: the file is the old or the new one, and a backup is whole or not there. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { copyFileSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { openStore } from "../../src/store/open.ts";
import { folder, foreign, source } from "./opening.ts";

const KILLS = 30;
const ROWS = 12_000;

const child = (path: string) =>
  Bun.spawn([process.execPath, join(import.meta.dir, "open-child.ts"), path], { stdin: "pipe", stdout: "pipe", stderr: "pipe" });

/** Opens the file in a process that is killed after `ms`, or let be; gives how long it took. */
async function opened(path: string, ms: number | null): Promise<number> {
  const process = child(path);
  const words = process.stdout.getReader();
  await words.read();
  const begun = performance.now();
  process.stdin.end();
  const timer = ms === null ? undefined : setTimeout(() => process.kill("SIGKILL"), ms);
  await words.read();
  const took = performance.now() - begun;
  clearTimeout(timer);
  process.kill("SIGKILL");
  await process.exited;
  return took;
}

const facts = (path: string) => {
  using db = new Database(path);
  const [{ version, rows }] = db
    .query("select user_version as version, (select count(*) from statuses where next_action = 'pad') as rows from pragma_user_version")
    .all() as [{ version: number; rows: number }];
  return { version, rows, sound: Object.values(db.query("pragma integrity_check").get() as object)[0] };
};

test("thirty kills from the first to the last moment", async () => {
  const old = join(folder(), "old.db");
  copyFileSync(join(import.meta.dir, "../fixtures/databases/v5.db"), old);
  foreign(
    old,
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${ROWS})
     insert into statuses (worker_id, state, current_task, next_action, created_at)
       select (select id from workers), 'done', hex(randomblob(60)), 'pad', 'x' from n`,
  );
  const places = Array.from({ length: KILLS + 1 }, () => {
    const path = join(folder(), "state", "workerctl.db");
    mkdirSync(join(path, ".."));
    copyFileSync(old, path);
    return path;
  });
  const whole = await opened(places[KILLS]!, null);
  let [before, between, after] = [0, 0, 0];
  for (const [at, path] of places.slice(0, KILLS).entries()) {
    await opened(path, (whole * at) / KILLS);
    const beside = () => readdirSync(join(path, "..")).sort();
    const backups = beside().filter((name) => name.includes(".bak-v"));
    for (const name of backups) {
      expect([at, name, facts(join(path, "..", name))]).toEqual([at, "workerctl.db.bak-v5", { version: 5, rows: ROWS, sound: "ok" }]);
      expect(statSync(join(path, "..", name)).mode & 0o777).toBe(0o600);
    }
    const { version, rows, sound } = facts(path);
    expect([at, rows, sound]).toEqual([at, ROWS, "ok"]);
    if (version === 22) {
      expect([at, backups.length]).toEqual([at, 1]);
      after++;
    } else if (backups.length > 0) between++;
    else before++;
    openStore(path, source()).db.close();
    expect(facts(path)).toEqual({ version: 22, rows: ROWS, sound: "ok" });
    // The next one has also cleared away what a kill left half done.
    expect(beside().filter((name) => !/^workerctl\.db(\.bak-v5(\.2)?)?$/.test(name))).toEqual([]);
  }
  expect(before).toBeGreaterThan(0);
  expect(before + between + after).toBe(KILLS);
}, 120_000);
