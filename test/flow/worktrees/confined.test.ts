/** What a worker calls from inside the real sandbox of its agent, in a worktree, with the records outside: it works, and opens nothing else. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { answersFor, openErrands } from "../../../src/flow/worktrees/errand.ts";
import { thisHolder } from "../../../src/system/processes/holder.ts";
import { BINARY, type Outcome, until } from "../../harness.ts";
import { boundPair } from "../../rollout.ts";
import { TreeWorld } from "./tree-world.ts";

let w: TreeWorld;
let path: string;
let dispatch: ReturnType<typeof Bun.spawn>;
beforeEach(async () => {
  w = new TreeWorld();
  await boundPair(w);
  path = (await w.made("w1")).path;
  openErrands(path);
  const done = Bun.spawn([BINARY, "dispatch", "--watch", "--interval", "60"], {
    env: w.env,
    cwd: w.work,
    stdout: "ignore",
    stderr: "ignore",
  });
  dispatch = done;
  await until("Dispatch", () => w.rows("select 1 from dispatchers").length > 0);
});
afterEach(async () => {
  dispatch.kill();
  await dispatch.exited;
  w.close();
});

/** Runs the program in Codex's own sandbox, which may write the worktree alone. */
function inside(words: readonly string[], stdin = ""): Outcome {
  const settings = [
    'sandbox_mode="workspace-write"',
    "sandbox_workspace_write.exclude_slash_tmp=true",
    "sandbox_workspace_write.exclude_tmpdir_env_var=true",
  ];
  const done = Bun.spawnSync(["codex", "sandbox", ...settings.flatMap((each) => ["-c", each]), "--", ...words], {
    // Codex lays a helper of its sandbox into its home, and does not where that lies in the folder of what is temporary.
    env: { ...w.env, TMPDIR: w.env.HOME },
    cwd: path,
    stdin: new TextEncoder().encode(stdin),
    stdout: "pipe",
    stderr: "pipe",
  });
  const stdout = done.stdout.toString();
  return { exit: done.exitCode, stdout, stderr: done.stderr.toString(), json: () => JSON.parse(stdout) };
}

test("acknowledgement, inbox and handoff are done outside; records, git folder and answers stay closed", async () => {
  const shut = inside([
    "sh",
    "-c",
    `touch ${w.dbPath}; touch ${w.repository}/.git/x; touch ${w.stateRoot}/artifacts/errands/w1/x; touch mine && echo wrote`,
  ]);
  expect(shut.stdout).toBe("wrote\n");
  expect(shut.stderr.match(/Read-only file system|Permission denied/g)).toHaveLength(3);
  const ack = inside([BINARY, "worker-ack", "t1", "--from-stdin"], '{"goal_restatement":"all of it"}');
  expect(ack.exit).toBe(0);
  expect(ack.json()).toMatchObject({ payload: { goal_restatement: "all of it" } });
  expect(ack.stderr).toContain("warning: proposed_criteria");
  const words = ["handoff", "t1", "--summary=-x; $(touch no) 'quoted'\nline", "--next-step", "one", "--next-step", "--two"];
  expect(inside([BINARY, ...words.slice(0, 5), "--next-step=--two"]).json()).toMatchObject({ next_steps: ["one", "--two"] });
  expect(inside([BINARY, "worker-inbox", "t1", "--json"]).json().items).toEqual([]);
  expect(inside([BINARY, "worker-inbox", "t1", "--consume-next", "--json"]).json()).toMatchObject({
    consumed: null,
    session: { name: "w1" },
  });
  expect(readdirSync(join(path, ".conveyor"))).toEqual([".gitignore"]);
});

test("a proof is run inside, and recorded outside", async () => {
  await w.ok(["criteria", "t1", "--add", "--criterion", "it works", "--source", "user_requested", "--status", "accepted"]);
  const [accepted] = w.rows<{ id: number }>("select id from acceptance_criteria");
  // What is temporary lies in the worktree here, since /tmp is closed.
  const prove = (...command: string[]) =>
    inside([
      "env",
      `TMPDIR=${path}/.conveyor`,
      BINARY,
      "evidence",
      "run",
      "t1",
      "--criterion",
      String(accepted!.id),
      "--json",
      "--",
      ...command,
    ]);
  const failed = prove("sh", "-c", `echo out; touch ${w.dbPath}`);
  expect(failed.exit).toBe(1);
  expect(failed.json().evidence_run).toMatchObject({ exit_code: 1, folder: path });
  const proven = prove("cat", "a.txt");
  expect(proven.json()).toMatchObject({
    machine_proven: true,
    criterion: { status: "satisfied" },
    evidence_run: { exit_code: 0, output_tail: "one" },
  });
  const [criterion] = (await w.ok("criteria t1 --list --json")).criteria;
  expect(criterion.machine_proof).toMatchObject({ state: "fresh", folder: path });
  writeFileSync(join(path, "untracked"), "x");
  expect((await w.ok("criteria t1 --list --json")).criteria[0].machine_proof.state).toBe("stale");
  expect(w.rows("select count(*) as n from events where type = 'evidence_run_recorded' and payload_json like '%told_by_worker%'")).toEqual([
    { n: 2 },
  ]);
});

test("another task, another command, a link in place of the folder: nothing is done", async () => {
  await w.ok("tasks --create other --goal g");
  const other = inside([BINARY, "worker-ack", "other", "--from-stdin"], "{}");
  expect(other.exit).toBe(1);
  expect(other.stderr).toContain('w1 is not bound to the task "other"');
  const answers = join(w.stateRoot, "artifacts", "errands", "w1");
  const leave = async (id: string, errand: unknown): Promise<unknown> => {
    writeFileSync(join(path, ".conveyor", "part"), JSON.stringify(errand));
    renameSync(join(path, ".conveyor", "part"), join(path, ".conveyor", `${id}.json`));
    const file = join(answers, `${id}.json`);
    await until("an answer", () => existsSync(file));
    return JSON.parse(await Bun.file(file).text());
  };
  const id = (n: number): string => `00000000-0000-4000-8000-00000000000${n}`;
  const plain = { command: "worker-ack", task: "t1", flags: ["--from-stdin"], stdin: "{}" };
  expect(await leave(id(1), plain)).toMatchObject({ exit: 0 });
  expect(await leave(id(2), { ...plain, command: "stop" })).toMatchObject({ exit: 1, stdout: "" });
  expect(await leave(id(3), { ...plain, flags: ["--path=/tmp/x.db"] })).toMatchObject({ exit: 1, stdout: "" });
  expect(await leave(id(4), { ...plain, task: "--help" })).toMatchObject({ exit: 1, stdout: "" });
  const secret = await w.file("secret.json", JSON.stringify(plain));
  symlinkSync(secret, join(path, ".conveyor", `${id(5)}.json`));
  await until("an answer", () => existsSync(join(answers, `${id(5)}.json`)));
  expect(await Bun.file(join(answers, `${id(5)}.json`)).json()).toMatchObject({ exit: 1 });
  mkdirSync(join(path, ".conveyor", `${id(6)}.json`));
  await until("an answer", () => existsSync(join(answers, `${id(6)}.json`)));
});

/** What a worker's program leaves, without its sandbox. */
function leave(id: string, ...flags: string[]): string {
  const file = join(path, ".conveyor", `${id}.json`);
  writeFileSync(`${file}.part`, JSON.stringify({ command: "worker-inbox", task: "t1", flags: ["--json", ...flags], stdin: null }));
  renameSync(`${file}.part`, file);
  return join(answersFor(path), `${id}.json`);
}

test("with more than one Dispatch each errand is done once, and no message is taken that nobody gets", async () => {
  const more = [1, 2].map(() =>
    Bun.spawn([BINARY, "dispatch", "--watch", "--interval", "60"], { env: w.env, cwd: w.work, stdout: "ignore", stderr: "ignore" }),
  );
  try {
    await until("Dispatch", () => w.rows("select 1 from dispatchers").length === 3);
    const messages = Array.from({ length: 10 }, (_, at) => `message ${at}`);
    for (const message of messages) await w.ok(["enqueue-nudge-worker", "t1", "--message", message]);
    const waiting = () => w.rows("select 1 from routed_notifications where delivery_mode = 'pull_required' and consumed_at is null");
    await until("the inbox", () => waiting().length === messages.length);
    const got: unknown[] = [];
    for (const _ of messages) {
      const answer = leave(crypto.randomUUID(), "--consume-next");
      await until("an answer", () => existsSync(answer));
      got.push(JSON.parse((await Bun.file(answer).json()).stdout).consumed?.payload.message);
    }
    // Several Dispatches may lay them into the inbox in another order.
    expect(got.toSorted()).toEqual(messages);
  } finally {
    for (const each of more) each.kill();
    await Promise.all(more.map((each) => each.exited));
  }
});

test("an errand in which its Dispatch was killed is not done again, and its worker is told so", async () => {
  const dead = Bun.spawn(["true"]);
  await dead.exited;
  const id = crypto.randomUUID();
  writeFileSync(join(answersFor(path), `${id}.taken`), JSON.stringify({ ...(await thisHolder(w.env)), pid: dead.pid }));
  const answer = leave(id, "--consume-next");
  await until("an answer", () => existsSync(answer));
  expect(await Bun.file(answer).json()).toMatchObject({ exit: 1, stdout: "", stderr: expect.stringContaining("it is not known") });
  await until("nothing is left of it", () => readdirSync(answersFor(path)).length === 1);
});
