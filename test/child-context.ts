/** What a program needs that a test starts as a process of its own, to die or be struck at a chosen commit of its records. */
import type { Database } from "bun:sqlite";
import { type Context, makeContext, type Outside } from "../src/context.ts";

/** The context of this process, which prints nothing unless `more` says so. */
export const childContext = (more: Partial<Outside> = {}): Context =>
  makeContext({
    env: process.env,
    cwd: process.cwd(),
    argv0: "conveyor",
    tty: { in: false, out: false, err: false },
    write: () => {},
    readStdin: () => new Uint8Array(),
    clock: Date.now,
    uuid: () => crypto.randomUUID(),
    ...more,
  });

/** Calls `before` and `after` around each commit. */
export function aroundCommits(db: Database, { before, after }: { before?: () => void; after: () => void }): void {
  const transaction = db.transaction.bind(db);
  db.transaction = ((change: () => unknown) => {
    const real = transaction(change);
    return {
      deferred: () => real.deferred(),
      immediate() {
        before?.();
        const result = real.immediate();
        after();
        return result;
      },
    };
  }) as unknown as typeof db.transaction;
}

export const dieAtOnce = (): void => void process.kill(process.pid, "SIGKILL");

/** Dies by SIGKILL before or after the commit of this number; 0: never. */
export function dieAtCommit(db: Database, number: number, when: string | undefined): void {
  let commits = 0;
  aroundCommits(db, {
    before: () => ++commits === number && when === "before" && dieAtOnce(),
    after: () => commits === number && when === "after" && dieAtOnce(),
  });
}
