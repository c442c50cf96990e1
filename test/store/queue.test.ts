/** Writers that stand in line: one that others keep from the lock waits as long as they get on, and no longer. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { openStore } from "../../src/store/open.ts";
import { type Store, tx } from "../../src/store/store.ts";
import { folder, source } from "./opening.ts";

/** A process that has the lock, and lets go of it only to take it again at once: `rounds` times, `ms` each. */
async function another(path: string, rounds: number, ms: number): Promise<Disposable> {
  const script = `
    const { Database } = require("bun:sqlite");
    const db = new Database(process.env.FILE);
    db.run("pragma busy_timeout = 10000");
    for (let i = 0; i < ${rounds}; i++) {
      db.run("begin immediate");
      if (i === 0) process.stdout.write("has it");
      db.run("update tasks set goal = goal || 'x'");
      Bun.sleepSync(${ms});
      db.run("commit");
    }`;
  const child = Bun.spawn([process.execPath, "-e", script], { env: { ...process.env, FILE: path }, stdout: "pipe", stderr: "inherit" });
  await child.stdout.getReader().read();
  return { [Symbol.dispose]: () => child.kill("SIGKILL") };
}

function opened(): Store {
  const store = openStore(join(folder(), "workerctl.db"), source());
  tx(store, () => store.db.run("insert into tasks values ('t', 't', 'g', null, 'candidate', 'x', 'x')"));
  // SQLite's own wait is 5 s; the line is the same with a short one.
  store.db.run("pragma busy_timeout = 100");
  return store;
}
const write = (store: Store): number => tx(store, () => store.db.run("update tasks set goal = 'ours'").changes);

test("while the others get on, a write waits for its turn", async () => {
  const store = opened();
  using _ = await another(store.path, 40, 50);
  expect(write(store)).toBe(1);
  store.db.close();
});

test("behind one that keeps the lock and writes nothing, a write is given up", async () => {
  const store = opened();
  using _ = await another(store.path, 1, 60_000);
  expect(() => write(store)).toThrow("is locked by another program");
  store.db.close();
});
