/** `qa-run`: every drill with the real commands, its receipt held to the schema, and what stops it. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { QA_RUNS, type QaReceipt, type QaRun, qaReceipt } from "../../src/core/qa/receipt.ts";
import { World } from "../harness.ts";

let w: World;
beforeEach(() => {
  w = new World();
  mkdirSync(join(w.dir, "temp"));
  w.env.TMPDIR = join(w.dir, "temp");
});
afterEach(() => w.close());

const receiptPath = () => join(w.work, "out/r.json");
const read = (path = receiptPath()) => JSON.parse(readFileSync(path, "utf8"));
const drill = (scenario: QaRun, ...more: string[]) => w.run(["qa-run", scenario, "--receipt-output", "out/r.json", ...more]);

/** Names of the checks, and the keys of the artifacts besides the database. */
const DRILLS: Record<QaRun, { checks: number; artifacts: string[] }> = {
  "ralph-loop-guardrails": { checks: 5, artifacts: [] },
  "generic-loop-template": { checks: 3, artifacts: ["candidate_screenshot", "diff", "reference_artifact", "visual_diff_report"] },
  "generic-loop-template-browser": {
    checks: 3,
    artifacts: ["candidate_html", "candidate_screenshot", "diff", "reference_artifact", "visual_diff_report"],
  },
  "test-coverage-loop": { checks: 3, artifacts: ["coverage_report"] },
  "adversarial-triggers": { checks: 7, artifacts: [] },
  "build-clear-loop": { checks: 3, artifacts: ["build_receipt", "cleanup_receipt"] },
};

describe("a drill", () => {
  for (const scenario of QA_RUNS) {
    test(`${scenario} passes and leaves the real state alone`, async () => {
      const done = await drill(scenario, "--json");
      expect(done.stderr).not.toContain("failed");
      expect(done.json()).toEqual({ checks: DRILLS[scenario].checks, receipt_path: receiptPath(), result: "passed", scenario });
      const receipt: QaReceipt = v.parse(qaReceipt, read());
      const { db_path, ...artifacts } = receipt.artifacts;
      expect(db_path).toStartWith(join(w.dir, "temp", "workerctl-qa-run-"));
      expect(Object.keys(artifacts).sort()).toEqual(DRILLS[scenario].artifacts);
      for (const path of Object.values(artifacts)) expect(existsSync(path!)).toBe(true);
      expect(existsSync(w.stateRoot)).toBe(false);
      expect(done.stderr.match(/^passed: /gm)).toHaveLength(DRILLS[scenario].checks);
    });
  }

  test("says what passed, and replays as it says", async () => {
    const done = await drill("build-clear-loop");
    expect(done.stdout).toBe(`QA run build-clear-loop: passed\n${receiptPath()}\n`);
    const { checks, replay_commands: replay } = read();
    expect(checks[0].dispatch.dispatcher_id).toMatch(/^qa-run-[0-9a-f]{8}$/);
    expect(replay.every((line: string) => line.startsWith("conveyor "))).toBe(true);
  });

  test("may use a database again, and a dispatcher of one's own", async () => {
    const path = join(w.dir, "again.db");
    for (const id of ["one", "two"]) {
      expect((await drill("build-clear-loop", "--path", path, "--dispatcher-id", id)).exit).toBe(0);
      expect(read().checks[0].dispatch.dispatcher_id).toBe(id);
    }
  });
});

describe("stops", () => {
  test("before a database with unsettled requests, and makes no further task", async () => {
    await w.ok("create-disposable-binding t1 --adversarial --run-name r1 --json");
    const { command_id: id } = await w.ok("enqueue-continue-iteration t1 --loop-run r1 --requested-iteration 2 --message m --json");
    const done = await drill("build-clear-loop", "--path", w.dbPath);
    expect(done.exit).toBe(1);
    expect(done.stderr).toContain(id);
    expect(existsSync(join(w.work, "out"))).toBe(false);
    expect(w.rows("select count(*) n from tasks")).toEqual([{ n: 1 }]);
  });

  test("at a check that fails, and leaves what it had found beside the receipt's place", async () => {
    await w.ok("tasks --create t1 --goal g");
    w.store().db.run("create trigger broken before insert on routed_notifications begin select raise(abort, 'broken on purpose'); end");
    const done = await drill("build-clear-loop", "--path", w.dbPath);
    expect(done.exit).toBe(1);
    expect(done.stderr).toContain("passed: build_clear_still_blocks_before_cleanup_evidence");
    expect(done.stderr).toContain("QA run build-clear-loop failed");
    expect(existsSync(receiptPath())).toBe(false);
    const found = read(join(w.work, "out/r.failed.json"));
    expect(found).toMatchObject({ result: "failed", scenario: "build-clear-loop", checks: [{ status: "passed" }, { status: "passed" }] });
    expect(found.failure).toContain("broken on purpose");
  });

  test("without a browser, before anything is written", async () => {
    mkdirSync(join(w.dir, "bin"));
    for (const name of ["sh", "git"]) symlinkSync(Bun.which(name)!, join(w.dir, "bin", name));
    const done = await w.run(["qa-run", "generic-loop-template-browser", "--receipt-output", "out/r.json"], {
      env: { PATH: join(w.dir, "bin") },
    });
    expect(done.exit).toBe(1);
    expect(done.stderr).toContain("no Chromium or Chrome");
    expect([existsSync(join(w.work, "out")), readdirSync(join(w.dir, "temp"))]).toEqual([false, []]);
  });

  test("at words that make no sense", async () => {
    for (const line of ["qa-run", "qa-run nope --receipt-output r.json", "qa-run --receipt-output r.json --limit 3"])
      expect((await w.run(line)).exit).toBe(2);
  });
});
