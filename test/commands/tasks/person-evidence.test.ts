/** What a person shows stands beside what a machine proved: gates and freshness go on reading the proof, until it is replaced on purpose. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { World } from "../../harness.ts";

let w: World;
beforeEach(async () => {
  w = new World();
  const git = (...words: string[]) =>
    Bun.spawnSync(["git", "-c", "user.name=t", "-c", "user.email=t@t", ...words], { cwd: w.work, env: w.env });
  git("init", "-q");
  writeFileSync(join(w.work, "f"), "one\n");
  git("add", "-A");
  git("commit", "-qm", "x");
  await w.ok("tasks --create t1 --goal g");
  await w.ok("criteria t1 --add --criterion works --source user_requested --status accepted");
});
afterEach(() => w.close());

const SHOWN = '{"command":"npm test","exit":0}';
const satisfy = (id: number, json: string, ...more: string[]) =>
  w.run(["criteria", "t1", "--satisfy", String(id), "--evidence-json", json, ...more]);
const criterion = async (id = 1) => (await w.ok("criteria t1 --list")).criteria.find((each: { id: number }) => each.id === id);

test("the finish line of the README keeps the proof, says so, and the proof stays fresh", async () => {
  await w.ok("evidence run t1 --criterion 1 --json -- true");
  const before = (await criterion()).evidence;
  const done = await satisfy(1, SHOWN, "--proof", "test/login.test.ts passes");
  expect([done.exit, done.stderr]).toEqual([0, expect.stringContaining("keeps its machine's proof")]);
  expect(await criterion()).toMatchObject({ proof: "test/login.test.ts passes", machine_proof: { state: "fresh" } });
  expect((await criterion()).evidence).toEqual({ ...before, person_evidence: { command: "npm test", exit: 0 } });
  expect((await w.run(["finish-task", "t1", "--reason", "r", "--require-fresh-proof", "--require-criteria-audit"])).exit).toBe(0);
});

test("a loop's gate finds its receipts, a machine's and a recorded one", async () => {
  await w.ok("create-disposable-binding t1 --template build_then_clear --run-name r1 --json");
  const missing = async () => (await w.ok("loop-status t1 --run r1 --json")).policy.missing_evidence;
  await w.ok("evidence run t1 --loop-run r1 --iteration 1 --type build_passed --json -- true");
  await w.ok("loop-evidence add t1 --loop-run r1 --iteration 1 --evidence-type cleanup --status pass --json");
  expect(await missing()).toEqual([]);
  for (const { id } of (await w.ok("criteria t1 --list")).criteria) await satisfy(id, SHOWN);
  expect(await missing()).toEqual([]);
  expect((await w.ok("loop-status t1 --run r1 --json")).evidence.machine_proven).toEqual(["build_passed"]);
});

test("--replace-proof puts it in its place, and needs evidence and a verdict", async () => {
  await w.ok("evidence run t1 --criterion 1 --json -- true");
  expect((await satisfy(1, SHOWN, "--replace-proof")).stderr).toBe("");
  expect(await criterion()).toMatchObject({ evidence: { command: "npm test", exit: 0 }, machine_proof: null });
  expect((await criterion()).evidence).not.toHaveProperty("evidence_run_id");
  expect((await w.run("criteria t1 --satisfy 1 --replace-proof")).exit).toBe(2);
  expect((await w.run(["criteria", "t1", "--list", "--evidence-json", SHOWN, "--replace-proof"])).exit).toBe(2);
});

test("what is no machine's proof is replaced as before: a person's own, a failed run's, one that only claims to be", async () => {
  await satisfy(1, SHOWN);
  await satisfy(1, '{"evidence_run_id":"evidence-of-nobody"}');
  expect((await criterion()).evidence).toEqual({ evidence_run_id: "evidence-of-nobody" });
  await satisfy(1, SHOWN);
  expect((await criterion()).evidence).toEqual({ command: "npm test", exit: 0 });
  await w.run("evidence run t1 --criterion 1 --json -- false");
  await satisfy(1, '{"seen":true}');
  expect((await criterion()).evidence).toEqual({ seen: true });
});

test("a second showing replaces the first and not the proof; the next run of the machine replaces the proof and not the showing", async () => {
  await w.ok("evidence run t1 --criterion 1 --json -- true");
  const first = (await criterion()).evidence.evidence_run_id;
  await satisfy(1, '{"one":1}');
  await satisfy(1, '{"two":2}');
  expect((await criterion()).evidence).toMatchObject({ evidence_run_id: first, person_evidence: { two: 2 } });
  expect((await criterion()).evidence.person_evidence).toEqual({ two: 2 });
  await w.ok("evidence run t1 --criterion 1 --json -- true");
  const { evidence } = await criterion();
  expect(evidence.person_evidence).toEqual({ two: 2 });
  expect(evidence.evidence_run_id).not.toBe(first);
});

test("an attempt to disprove that a person shows beside a proof still opens finish's gate", async () => {
  await w.ok("evidence run t1 --criterion 1 --json -- true");
  const gate = () => w.run(["finish-task", "t1", "--reason", "r", "--require-adversarial-proof"]);
  expect((await gate()).exit).toBe(1);
  await satisfy(1, '{"evidence_type":"adversarial_check","failure_mode":"f","check":"c","result":"held"}');
  expect((await gate()).exit).toBe(0);
});
