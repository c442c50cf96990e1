/** Landings beside each other, and a branch that others move. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { until, World } from "../../harness.ts";
import { addWorktree, git, landingWorld, type LandingWorld, leftovers, prove, together } from "../../landing-world.ts";
import { LONG } from "../../long.ts";
import { meta, rollout } from "../../rollout.ts";

const SRC = resolve(import.meta.dir, "../../../src/main.ts");

let w: World;
let l: LandingWorld;
beforeEach(async () => {
  w = new World();
  w.realTime = true;
  l = await landingWorld(w);
});
afterEach(() => w.close());

/** A second task with a worker and a worktree of its own. */
async function second(): Promise<string> {
  const thread = "33333333-3333-4333-8333-333333333333";
  const boss = "44444444-4444-4444-8444-444444444444";
  for (const [name, role, id] of [
    ["w2", "worker", thread],
    ["m2", "manager", boss],
  ] as const)
    await w.ok([
      `register-${role}`,
      "--name",
      name,
      "--pid",
      String(process.pid),
      "--codex-session",
      (await rollout(w, meta(id), id)).path,
      "--cwd",
      w.work,
    ]);
  await w.ok("tasks --create t2 --goal Also");
  await w.ok("bind --task t2 --worker w2 --manager m2");
  w.store().db.run("update sessions set pid = null");
  return addWorktree(w, l.repo, "w2").tree;
}

const start = (words: readonly string[]) =>
  Bun.spawn([process.execPath, SRC, ...words], { env: w.env, cwd: w.work, stdout: "pipe", stderr: "pipe" });

test("two at once: one wins, the other starts over and proves again", async () => {
  const other = await second();
  const rounds = LONG === null ? 1 : 20;
  const ran = join(w.dir, "ran");
  // Each has merged before either moves.
  const both = `echo "$PWD" >> '${ran}'; while [ $(sort -u '${ran}' | grep -c landing) -lt "$MERGES" ]; do sleep 0.02; done`;
  await Bun.write(join(l.tree, "both.sh"), `case "$PWD" in *landing*) ${both} ;; esac\n`);
  await Bun.write(join(other, "both.sh"), `case "$PWD" in *landing*) ${both} ;; esac\n`);
  await prove(w, l.tree, ["sh", "both.sh"], "t1");
  await prove(w, other, ["sh", "both.sh"], "t2");
  for (let round = 0; round < rounds; round++) {
    writeFileSync(ran, "");
    w.env.MERGES = "2";
    writeFileSync(join(l.tree, "a.txt"), `${round}\ntwo\nthree\n`);
    writeFileSync(join(other, "b.txt"), `${round}\n`);
    const both = [start(["land", "t1", "--json"]), start(["land", "t2", "--json"])];
    const said = await Promise.all(both.map(async (one) => JSON.parse(await new Response(one.stdout).text())));
    expect(said).toMatchObject([
      { landed: true, refused: null },
      { landed: true, refused: null },
    ]);
    expect(said.map(({ restarted }) => restarted).sort()).toEqual([false, true]);
    const [first, last] = said[0].restarted ? [said[1], said[0]] : [said[0], said[1]];
    expect(last.before).toBe(first.after);
    expect(git(w, l.repo, "rev-parse", "main")).toBe(last.after);
    // Proven on what has landed, and once more than the other.
    expect(last.proofs).toHaveLength(1);
    expect(w.rows("select git_head from evidence_runs where id = ?", last.proofs[0].evidence_id)).toEqual([{ git_head: last.after }]);
    expect(together(w, l.repo)).toBe(true);
    expect(leftovers(w, l.repo)).toEqual([]);
  }
});

test("a branch that moves again and again is given up, and Ctrl-C leaves nothing", async () => {
  // The proof itself moves it, as a person could meanwhile.
  await Bun.write(join(l.tree, "move.sh"), `[ -z "$MOVE" ] || git -C '${l.repo}' commit -q --allow-empty -m moved\n`);
  await prove(w, l.tree, ["sh", "move.sh"]);
  Object.assign(w.env, { GIT_AUTHOR_NAME: "A", GIT_AUTHOR_EMAIL: "a@x", GIT_COMMITTER_NAME: "A", GIT_COMMITTER_EMAIL: "a@x", MOVE: "1" });
  const done = await w.run("land t1 --json");
  expect(done.exit).toBe(1);
  expect(done.json()).toMatchObject({ landed: false, restarted: true, refused: expect.stringContaining("moved again") });
  expect(git(w, l.repo, "log", "-1", "--format=%s")).toBe("moved");
  expect(together(w, l.repo)).toBe(true);
  expect(leftovers(w, l.repo)).toEqual([]);
  await Bun.write(join(l.tree, "move.sh"), `[ -z "$WAIT" ] || { echo $$ > '${join(w.dir, "pid")}'; exec sleep 1000; }\n`);
  Object.assign(w.env, { WAIT: "1" });
  const before = git(w, l.repo, "rev-parse", "main");
  const one = start(["land", "t1", "--json"]);
  const pid = await until("the proof", async () =>
    Number(
      await Bun.file(join(w.dir, "pid"))
        .text()
        .catch(() => ""),
    ),
  );
  one.kill("SIGINT");
  expect(JSON.parse(await new Response(one.stdout).text()).refused).toContain("interrupted");
  expect(await one.exited).toBe(1);
  expect(() => process.kill(pid, 0)).toThrow();
  expect(git(w, l.repo, "rev-parse", "main")).toBe(before);
  expect(leftovers(w, l.repo)).toEqual([]);
});
