/** `create-disposable-binding`: all at once or nothing. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parse } from "../../../src/args/parse.ts";
import { findVerb } from "../../../src/verbs.ts";
import { words, World } from "../../harness.ts";

let w: World;
beforeEach(() => void (w = new World()));
afterEach(() => w.close());

const folder = () => join(w.stateRoot, "disposable-sessions");

test("the sessions have rollouts of one line and no process that could be found dead", async () => {
  const made = await w.ok("create-disposable-binding t1 --json");
  const line = JSON.parse(readFileSync(made.worker.rollout_path, "utf8"));
  expect(line).toMatchObject({
    type: "session_meta",
    payload: { id: "codex-t1-worker", cwd: w.work, originator: "conveyor-disposable-binding" },
  });
  expect(w.rows("select pid, tmux_session from sessions")).toEqual([
    { pid: null, tmux_session: null },
    { pid: null, tmux_session: null },
  ]);
  expect(readdirSync(folder()).sort()).toEqual(["rollout-t1-manager.jsonl", "rollout-t1-worker.jsonl"]);
  expect((await w.ok("sessions --state active")).map((session: { name: string }) => session.name)).toEqual(["t1-worker", "t1-manager"]);
});

test("what is about a loop run is warned about when none is made", async () => {
  for (const [i, option] of [
    "--run-name r",
    "--max-iterations 3",
    "--current-iteration 0",
    "--seed-prompt-sha256 x",
    "--cleanup-policy compact",
  ].entries()) {
    const made = await w.run(`create-disposable-binding t${i} ${option} --json`);
    expect([made.exit, JSON.parse(made.stdout).run]).toEqual([0, null]);
    expect(made.stderr).toContain(option.split(" ")[0]!);
  }
});

test("names with one slug get files of their own", async () => {
  const made = await w.ok(["create-disposable-binding", "t1", "--worker", "a b", "--manager", "a-b", "--json"]);
  expect(made.worker.rollout_path).toEndWith("rollout-a-b.jsonl");
  expect(made.manager.rollout_path).toEndWith("rollout-a-b-2.jsonl");
  const other = await w.ok(["create-disposable-binding", "t2", "--worker", "a/b", "--manager", "..", "--json"]);
  expect(other.worker.rollout_path).toEndWith("rollout-a-b-3.jsonl");
  expect(other.manager.rollout_path).toEndWith("rollout-session.jsonl");
  expect(w.rows("select count(distinct codex_session_id) n from sessions")).toEqual([{ n: 4 }]);
});

test("a refusal leaves neither rows nor files", async () => {
  await w.ok("create-disposable-binding t1 --json");
  const before = readdirSync(folder());
  for (const [line, why] of [
    ["create-disposable-binding t2 --worker t1-manager --json", "t1-manager"],
    ["create-disposable-binding t2 --worker t1-worker --json", "t1-worker"],
    ["create-disposable-binding t2 --worker same --manager same --json", "same"],
    ["create-disposable-binding t2 --template nope --json", "nope"],
    ["create-disposable-binding t2 --adversarial --max-iterations 2 --current-iteration 3 --json", "--current-iteration"],
  ] as const) {
    const refused = await w.run(line);
    expect(refused.exit).toBe(1);
    expect(refused.stderr).toContain(why);
  }
  expect(readdirSync(folder())).toEqual(before);
  expect(w.rows("select name from tasks")).toEqual([{ name: "t1" }]);
  expect(w.rows("select count(*) n from sessions")).toEqual([{ n: 2 }]);
});

test("a file that somebody else wrote stays", async () => {
  const path = await w.file("elsewhere/rollout-t1-worker.jsonl", '{"type":"session_meta","payload":{"id":"x","originator":"codex-tui"}}\n');
  const refused = await w.run(["create-disposable-binding", "t1", "--session-dir", join(w.dir, "elsewhere")]);
  expect(refused.exit).toBe(1);
  expect(readFileSync(path, "utf8")).toContain("codex-tui");
});

test("an existing task keeps its goal and a finished one is not revived", async () => {
  await w.ok("tasks --create t1 --goal original");
  const made = await w.ok("create-disposable-binding t1 --goal other --json");
  expect(made.task).toMatchObject({ created: false, state: "managed" });
  expect(w.rows("select goal from tasks")).toEqual([{ goal: "original" }]);
  await w.ok("tasks --create over --goal g");
  w.store().db.run("update tasks set state = 'done' where name = 'over'");
  expect((await w.run("create-disposable-binding over")).exit).toBe(1);
  expect(w.rows("select state from tasks where name = 'over'")).toEqual([{ state: "done" }]);
});

test("every replay command parses, and the first one makes the same again", async () => {
  const first = await w.ok([
    "create-disposable-binding",
    "it's",
    "--goal",
    "a 'quoted' goal",
    "--template",
    "build_then_clear",
    "--required-before-continue",
    "lint",
    "--run-name",
    "r 1",
    "--json",
  ]);
  for (const line of first.replay_commands as string[]) {
    const argv = shellWords(line).slice(1);
    const load = findVerb(argv[0]!)?.load;
    if (load) parse((await load()).default.spec, argv.slice(1));
  }
  rmSync(w.stateRoot, { recursive: true });
  const again = await w.ok(shellWords(first.replay_commands[0]).slice(1));
  expect(again.task.name).toBe("it's");
  expect(again.run.metadata).toEqual(first.run.metadata);
  expect(w.rows("select goal from tasks")).toEqual([{ goal: "a 'quoted' goal" }]);
});

/** The words as a real shell reads them. */
function shellWords(line: string): string[] {
  return Bun.spawnSync(["sh", "-c", `printf '%s\\0' ${line}`])
    .stdout.toString()
    .split("\0")
    .slice(0, -1);
}

test("the text names what a person needs", async () => {
  const { stdout } = await w.run("create-disposable-binding t1 --adversarial --run-name loop-1");
  for (const part of ["worker: t1-worker", "manager: t1-manager", "run: loop-1", "worker-inbox t1 --consume-next", "manage-codex-workers"])
    expect(stdout).toContain(part);
});

test("the poll command of a task whose name looks like a flag works as it stands", async () => {
  const made = await w.ok(["create-disposable-binding", "--json", "--", "-odd"]);
  expect(made.worker.communication.poll_command).toEndWith(" --json -- -odd");
  const polled = await w.run(words(made.worker.communication.poll_command.replace("conveyor ", "").replace("--wait --timeout 60 ", "")));
  expect([polled.exit, polled.json().items]).toEqual([0, []]);
});
