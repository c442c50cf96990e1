/** A place for database files that goes away after each test, and a clock and ids that repeat. */
import { Database } from "bun:sqlite";
import { onTestFinished } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Source } from "../../src/store/open.ts";

/** A folder of the running test, gone when it ends. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "conveyor-store-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** 2026-01-02T03:04:05.000Z, one millisecond later at each call; ids count up. */
export function source(): Source {
  let ms = Date.parse("2026-01-02T03:04:05.000Z");
  let id = 0;
  return { now: () => new Date(ms++).toISOString(), newId: (prefix) => `${prefix}-${++id}` };
}

/** Runs SQL on a file as another program would. */
export function foreign(path: string, sql: string): void {
  using db = new Database(path);
  db.run(sql);
}
