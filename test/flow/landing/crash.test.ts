/** Landings killed at every step: BRANCH and its checkout are together, before or after, and what the worker had done is in reach. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { World } from "../../harness.ts";
import { git, landingWorld, type LandingWorld, leftovers, prove, together } from "../../landing-world.ts";
import { LONG } from "../../long.ts";

const SRC = resolve(import.meta.dir, "../../../src/main.ts");
const CHILD = resolve(import.meta.dir, "land-child.ts");
const GIT = Bun.which("git")!;

let w: World;
let l: LandingWorld;
beforeEach(async () => {
  w = new World();
  w.realTime = true;
  w.env.TMPDIR = join(w.dir, "tmp");
  mkdirSync(w.env.TMPDIR);
  l = await landingWorld(w);
  await prove(w, l.tree, ["test", "-e", "a.txt"]);
});
afterEach(() => w.close());

/** A git that does its work, and at one of its calls kills who has called it, before or after. Gives the folder it lies in. */
function killer(call: (script: { count: string }) => string): string {
  const folder = join(w.dir, "killer");
  mkdirSync(folder, { recursive: true });
  const count = join(folder, "count");
  writeFileSync(count, "0");
  writeFileSync(join(folder, "git"), `#!/bin/sh\n${call({ count })}\n`);
  chmodSync(join(folder, "git"), 0o755);
  return folder;
}

const killing = (when: "before" | "after"): string =>
  when === "before" ? `{ kill -9 $PPID; exit 1; }` : `{ '${GIT}' "$@"; kill -9 $PPID; exit 1; }`;
const atCall = (number: number, when: "before" | "after"): string =>
  killer(
    ({ count }) => `n=$(( $(cat '${count}') + 1 )); echo $n > '${count}'
[ $n = ${number} ] && ${killing(when)}
exec '${GIT}' "$@"`,
  );
/** At the first call with these words. */
const atWords = (words: string, when: "before" | "after"): string =>
  killer(() => `case " $* " in *" ${words} "*) ${killing(when)} ;; esac\nexec '${GIT}' "$@"`);

async function child(words: readonly string[], folder?: string): Promise<NodeJS.Signals | number | null> {
  const PATH = folder === undefined ? w.env.PATH! : `${folder}:${w.env.PATH}`;
  const one = Bun.spawn([process.execPath, ...words], { env: { ...w.env, PATH }, cwd: w.work, stdout: "ignore", stderr: "pipe" });
  const said = await new Response(one.stderr).text();
  const code = await one.exited;
  if (one.signalCode === null && code !== 0) throw new Error(said);
  return one.signalCode;
}

let round = 0;
/** The worker changes a file, adds one and takes one away; main moves on now and then, so that some land by a merge. */
async function work(): Promise<void> {
  round++;
  await Bun.write(join(l.tree, "a.txt"), `round ${round}\n`);
  await Bun.write(join(l.tree, `new ${round}`, "x"), `${round}\n`);
  Bun.spawnSync(["rm", "-rf", join(l.tree, `new ${round - 1}`)]);
  if (round % 2 === 0) {
    await Bun.write(join(l.repo, "b.txt"), `main ${round}\n`);
    git(w, l.repo, "commit", "-qam", `main ${round}`);
  }
}

/**
 * After a kill, brought to its end by the next who comes: together, before or after, with nothing left over; and what has not landed lands.
 */
async function account(before: string): Promise<"before" | "after"> {
  const looked = await w.run("worktrees --json");
  expect(looked.exit).toBe(0);
  expect(looked.stderr).not.toMatch(/is still open|nobody knows/);
  const now = git(w, l.repo, "rev-parse", "main");
  expect(git(w, l.repo, "status", "--porcelain")).toBe("");
  expect(together(w, l.repo)).toBe(true);
  expect(leftovers(w, l.repo)).toEqual([]);
  expect(readFileSync(join(l.tree, "a.txt"), "utf8")).toBe(`round ${round}\n`);
  const last = w.rows<{ state: string; after_commit: string }>("select state, after_commit from landings order by rowid desc limit 1")[0];
  const landed = git(w, l.repo, "show", "main:a.txt") === `round ${round}`;
  expect(now === before).toBe(!landed);
  if (landed) {
    expect(last).toMatchObject({ state: "landed", after_commit: now });
    // The criterion rests on the proof of what has landed.
    const [criterion] = w.rows<{ head: string }>("select json_extract(evidence_json, '$.git_head') as head from acceptance_criteria");
    expect(criterion!.head).toBe(now);
  }
  if (LONG !== null) {
    const done = await w.ok("land t1 --json");
    expect(done).toMatchObject({ refused: null, landed: !landed });
    expect(git(w, l.repo, "show", "main:a.txt")).toBe(`round ${round}`);
    expect(together(w, l.repo) && together(w, l.tree)).toBe(true);
    expect(leftovers(w, l.repo)).toEqual([]);
  }
  return landed ? "after" : "before";
}

/** One landing that is to die there, and how it came out; null: it came to its end before. */
async function killed(folder: string, words: readonly string[] = [SRC, "land", "t1"]): Promise<"before" | "after" | null> {
  await work();
  const before = git(w, l.repo, "rev-parse", "main");
  const signal = await child(words, folder);
  const came = await account(before);
  expect(signal ?? "SIGKILL").toBe("SIGKILL");
  return signal === null ? null : came;
}

test("killed around the calls of git that move something", async () => {
  expect(await killed(atWords("commit-tree", "after"))).toBe("before");
  expect(await killed(atWords("read-tree -m -u", "before"))).toBe("before");
  // The tree has moved, and the branch follows.
  expect(
    await killed(killer(() => `case " $* " in *" -n "*) ;; *" read-tree -m -u "*) ${killing("after")} ;; esac\nexec '${GIT}' "$@"`)),
  ).toBe("after");
  expect(await killed(atWords("update-ref -d", "before"))).toBe("after");
});

test.skipIf(LONG === null)(
  "killed before and after each of its calls of git",
  async () => {
    let died = 0;
    for (const when of ["before", "after"] as const) for (let call = 1; (await killed(atCall(call, when))) !== null; call++) died++;
    expect(died).toBeGreaterThan(100);
  },
  1_200_000,
);

test("killed before and after commits of its records", async () => {
  const at = (commit: number, when: string) => killed(join(w.dir, "none"), [CHILD, String(commit), when]);
  // The third lets it move, and the fourth closes it.
  if (LONG === null) {
    expect(await at(3, "after")).toBe("before");
    expect(await at(4, "before")).toBe("after");
    return;
  }
  let died = 0;
  for (const when of ["before", "after"]) for (let commit = 1; (await at(commit, when)) !== null; commit++) died++;
  expect(died).toBeGreaterThan(6);
}, 600_000);

test("git itself is killed while it writes the tree: what it had written is put back, and somebody's change stays", async () => {
  await Bun.write(join(l.tree, "z.txt"), "z\n");
  await work();
  const before = git(w, l.repo, "rev-parse", "main");
  // It has locked the index, taken away one file, written a part of another and the whole of a third.
  const folder = killer(
    () => `case " $* " in *" read-tree -m -u "*" -n "*) ;; *" read-tree -m -u "*)
  : > '${join(l.repo, ".git", "index.lock")}'; rm '${join(l.repo, "a.txt")}'; printf z > '${join(l.repo, "z.txt")}'
  mkdir '${join(l.repo, `new ${round}`)}'; echo ${round} > '${join(l.repo, `new ${round}`, "x")}'; kill -9 $PPID; exit 1 ;; esac
exec '${GIT}' "$@"`,
  );
  expect(await child([SRC, "land", "t1"], folder)).toBe("SIGKILL");
  expect(git(w, l.repo, "status", "--porcelain")).not.toBe("");
  await Bun.write(join(l.repo, "b.txt"), "a person's\n");
  const done = await w.run("land t1 --json");
  expect(done.stderr).toContain("has been undone");
  expect(done.json().refused).toContain('has changes of its own: "b.txt"');
  expect(git(w, l.repo, "rev-parse", "main")).toBe(before);
  expect(git(w, l.repo, "status", "--porcelain")).toBe(" M b.txt");
  git(w, l.repo, "checkout", "-q", "b.txt");
  expect(await account(before)).toBe("before");
});

test("cut off in a checkout that git removes afterwards, it is brought to its end by the branch alone", async () => {
  const side = join(w.dir, "side");
  git(w, l.repo, "worktree", "add", "-q", "-b", "side", side, "main");
  await work();
  const before = git(w, l.repo, "rev-parse", "side");
  expect(await child([SRC, "land", "t1", "--into", "side"], atWords("read-tree -m -u", "before"))).toBe("SIGKILL");
  git(w, l.repo, "worktree", "remove", "--force", side);
  expect((await w.run("worktrees --json")).stderr).toContain("has been undone");
  expect(git(w, l.repo, "rev-parse", "side")).toBe(before);
  expect(leftovers(w, l.repo)).toEqual([]);
});
