/** `loop-evidence`: receipts, their rows, and refusals that write nothing. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makePng } from "../../png.ts";
import { World } from "../../harness.ts";

let w: World;
let run: string;
beforeEach(async () => {
  w = new World();
  await w.ok("tasks --create t1 --goal g");
  run = (await w.ok("loop-templates --create-run t1 --template visual_diff_loop --name r1")).id;
});
afterEach(() => w.close());

const criteria = () => w.rows<{ n: number }>("select count(*) n from acceptance_criteria")[0]!.n;

describe("add", () => {
  test("telemetry belongs to the loop's run, beside an active run of the task", async () => {
    await w.ok("runs --create t1 --name work");
    await w.ok("loop-evidence add t1 --loop-run r1 --iteration 1 --evidence-type x");
    await w.ok("loop-evidence add t1 --loop-run r1 --iteration 1 --evidence-type x --status fail");
    expect(w.rows("select event_type, run_id from telemetry_events where event_type like 'acceptance%' order by rowid")).toEqual([
      { event_type: "acceptance_criterion_added", run_id: run },
      { event_type: "acceptance_criterion_updated", run_id: run },
    ]);
  });

  test("evidence that another command records for the loop belongs to its run too, and a foreign run id to none", async () => {
    await w.ok([
      "criteria",
      "t1",
      "--add",
      "--criterion",
      "c",
      "--source",
      "manager_inferred",
      "--evidence-json",
      JSON.stringify({ ralph_loop_run_id: run }),
    ]);
    await w.ok([
      "criteria",
      "t1",
      "--add",
      "--criterion",
      "d",
      "--source",
      "manager_inferred",
      "--evidence-json",
      JSON.stringify({ ralph_loop_run_id: "run-nowhere" }),
    ]);
    expect(w.rows("select run_id from telemetry_events where event_type like 'acceptance%' order by rowid")).toEqual([
      { run_id: run },
      { run_id: null },
    ]);
  });

  test("every row of the text is updated, whatever its source, and the last is printed", async () => {
    const text = `Ralph loop ${run} iteration 1 x evidence`;
    for (const source of ["worker_proposed", "final_audit"])
      await w.ok(["criteria", "t1", "--add", "--criterion", text, "--source", source]);
    const { criterion } = await w.ok("loop-evidence add t1 --loop-run r1 --iteration 1 --evidence-type x");
    expect(criterion.source).toBe("final_audit");
    expect(w.rows("select source, status from acceptance_criteria order by id")).toEqual([
      { source: "worker_proposed", status: "satisfied" },
      { source: "final_audit", status: "satisfied" },
    ]);
  });

  test("a run of the same name in another task does not hide this one", async () => {
    await w.ok("tasks --create t2 --goal g");
    await w.ok("loop-templates --create-run t2 --template build_then_clear --name r1");
    expect((await w.ok("loop-evidence add t1 --loop-run r1 --iteration 1 --evidence-type x")).run.id).toBe(run);
  });

  test("an artifact that is not there is warned about and kept as typed", async () => {
    writeFileSync(join(w.work, "there.json"), "{}");
    const seen = await w.run("loop-evidence add t1 --loop-run r1 --iteration 1 --evidence-type x --artifact-path there.json");
    expect(seen.stderr).toBe("");
    const missing = await w.run("loop-evidence add t1 --loop-run r1 --iteration 1 --evidence-type x --artifact-path gone.json");
    expect(missing.stderr).toContain("gone.json");
    expect(missing.json().evidence.artifact_path).toBe("gone.json");
  });

  test("statuses that count, in any case, and one that does not", async () => {
    for (const status of ["pass", " Passed ", "SUCCESS", "succeeded", "ok", "green", "satisfied"]) {
      expect(
        (await w.ok(["loop-evidence", "add", "t1", "--loop-run", "r1", "--iteration", "1", "--evidence-type", "x", "--status", status]))
          .criterion.status,
      ).toBe("satisfied");
    }
    for (const status of ["passes", "", "fail"]) {
      expect(
        (await w.ok(["loop-evidence", "add", "t1", "--loop-run", "r1", "--iteration", "1", "--evidence-type", "x", "--status", status]))
          .criterion.status,
      ).toBe("rejected");
    }
  });
});

describe("visual-diff", () => {
  const picture = (name: string, value: number): string => {
    const path = join(w.work, name);
    writeFileSync(
      path,
      makePng({ width: 2, height: 2 }, (x, _, c) => (c === 3 ? 255 : x === 0 ? 0 : value)),
    );
    return path;
  };
  const diff = (more: string) =>
    w.run(`loop-evidence visual-diff t1 --loop-run r1 --iteration 1 --reference a.png --candidate b.png ${more}`);
  beforeEach(() => {
    picture("a.png", 0);
    picture("b.png", 9);
  });

  test("writes report and pictures and names the report in both receipts", async () => {
    const done = await diff("--threshold 0.1 --report-output out/r.json --diff-output out/d.png --overlay-output out/o.png");
    expect(done.exit).toBe(0);
    expect(done.stderr).toContain("hint: the score 0.5 is above the threshold 0.1");
    const report = join(w.work, "out/r.json");
    expect(JSON.parse(readFileSync(report, "utf8"))).toEqual(done.json().diff);
    expect(done.json().diff).toMatchObject({ diff_image: join(w.work, "out/d.png"), diff_score: 0.5 });
    expect(w.rows("select status, json_extract(evidence_json, '$.artifact_path') path from acceptance_criteria order by id")).toEqual([
      { status: "satisfied", path: report },
      { status: "rejected", path: report },
    ]);
  });

  test("a refusal writes neither file nor row", async () => {
    writeFileSync(join(w.work, "b.png"), "no picture");
    for (const more of ["--threshold 0 --report-output out/r.json", "--threshold 2 --report-output out/r.json"])
      expect((await diff(more)).exit).toBe(1);
    const zero = await w.run(
      "loop-evidence visual-diff t1 --loop-run r1 --iteration 0 --reference a.png --candidate a.png --threshold 0 --report-output out/r.json",
    );
    expect([zero.exit, existsSync(join(w.work, "out")), criteria()]).toEqual([1, false, 0]);
  });

  test("an output in the place of a folder leaves no row", async () => {
    expect((await diff("--threshold 1 --report-output .")).exit).toBe(1);
    expect(criteria()).toBe(0);
  });
});
