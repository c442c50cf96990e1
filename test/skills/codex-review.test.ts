import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { until, World } from "../harness.ts";

const HELPER = join(import.meta.dir, "..", "..", "skills", "codex-review", "scripts", "codex-review");
const SHELLS = ["dash", "bash", "busybox"].filter((shell) => Bun.which(shell) !== null);

let w: World;
let bin: string;
let repo: string;
let env: Record<string, string>;

const git = (...words: string[]) => {
  const done = Bun.spawnSync(["git", "-c", "user.name=t", "-c", "user.email=t@localhost", ...words], { cwd: repo, env });
  if (done.exitCode !== 0) throw new Error(`git ${words.join(" ")}: ${done.stderr}`);
};

async function program(name: string, script: string): Promise<void> {
  const path = await w.file(`bin/${name}`, `#!/bin/sh\n${script}\n`);
  Bun.spawnSync(["chmod", "+x", path]);
}

/** A Codex that writes its words and marks to files and prints `answer`. */
const codex = (answer: string, exit = 0) =>
  program(
    "codex",
    `printf '%s\\n' "$@" > "$LOG.argv"\nprintf '%s %s' "$CODEX_REVIEW_HELPER_LEVEL" "$CODEX_REVIEW_HELPER_PARENT_PID" > "$LOG.marks"\nprintf '%b' '${answer}'\nexit ${exit}`,
  );

function review(words: string[], extra: Record<string, string> = {}, shell?: string) {
  const done = Bun.spawnSync([...(shell === "busybox" ? ["busybox", "sh"] : shell ? [shell] : []), HELPER, ...words], {
    cwd: repo,
    env: { ...env, ...extra },
  });
  return { exit: done.exitCode, stdout: done.stdout.toString(), stderr: done.stderr.toString(), pid: done.pid };
}
const argv = () => readFileSync(join(w.dir, "log.argv"), "utf8").trimEnd().split("\n");

beforeEach(async () => {
  w = new World();
  bin = join(w.dir, "bin");
  repo = join(w.dir, "repo");
  mkdirSync(repo);
  mkdirSync(bin);
  mkdirSync(join(w.dir, "tmp"));
  env = {
    PATH: `${bin}:/usr/bin:/bin`,
    HOME: w.env.HOME!,
    LOG: join(w.dir, "log"),
    TMPDIR: join(w.dir, "tmp"),
    GIT_CONFIG_GLOBAL: "/dev/null",
  };
  await codex("All well.\\n");
  await program("gh", "exit 1");
  Bun.spawnSync(["git", "init", "-q", "--bare", "-b", "main", join(w.dir, "origin.git")], { env });
  git("init", "-q", "-b", "main");
  git("commit", "-q", "--allow-empty", "-m", "first");
  git("remote", "add", "origin", join(w.dir, "origin.git"));
  git("push", "-q", "origin", "main");
});
afterEach(() => {
  expect(readdirSync(join(w.dir, "tmp"))).toEqual([]);
  w.close();
});

test.each(SHELLS)("in %s: a dirty tree is reviewed as it is, a branch against its base", async (shell) => {
  await w.file("repo/new.txt", "x");
  const local = review([], {}, shell);
  expect(local).toMatchObject({ exit: 0, stdout: "All well.\n" });
  expect(local.stderr).toContain("clean");
  expect(argv()).toEqual(["review", "--uncommitted"]);
  expect(readFileSync(join(w.dir, "log.marks"), "utf8")).toBe(`1 ${local.pid}`);

  git("checkout", "-q", "-b", "topic");
  git("add", ".");
  git("commit", "-q", "-m", "second");
  expect(review([], {}, shell).exit).toBe(0);
  expect(argv()).toEqual(["review", "--base", "origin/main"]);
});

test("the base is that of the pull request, unless one is named", async () => {
  git("push", "-q", "origin", "main:release-2");
  git("checkout", "-q", "-b", "topic");
  await program("gh", `[ "$1 $2" = "pr view" ] && echo release-2`);
  expect(review([]).exit).toBe(0);
  expect(argv()).toEqual(["review", "--base", "origin/release-2"]);
  expect(review(["--base", "main"]).exit).toBe(0);
  expect(argv()).toEqual(["review", "--base", "main"]);
});

test("a clean main has nothing to review, unless a mode is forced; outside a checkout there is nothing either", () => {
  expect(review([])).toMatchObject({ exit: 1, stdout: "" });
  expect(existsSync(join(w.dir, "log.argv"))).toBe(false);
  expect(review(["--mode", "branch"]).exit).toBe(0);
  expect(review(["--mode", "local"]).exit).toBe(0);
  expect(argv()).toEqual(["review", "--uncommitted"]);
  repo = join(w.dir, "work");
  expect(review(["--mode", "local"])).toMatchObject({ exit: 1, stdout: "" });
});

test("a fetch that fails is a warning", () => {
  git("checkout", "-q", "-b", "topic");
  git("remote", "set-url", "origin", join(w.dir, "gone.git"));
  const done = review([]);
  expect(done.exit).toBe(0);
  expect(done.stderr).toContain("warning: origin/main");
});

test("findings, silence and failure of the reviewer are exit 1", async () => {
  await w.file("repo/new.txt", "x");
  await codex("Breaks.\\n\\n- [P1] Bad thing - f:1\\n");
  const found = review([]);
  expect(found.exit).toBe(1);
  expect(found.stderr).toContain("findings: 1");
  await codex(" \\n");
  expect(review([]).stderr).toContain("no answer");
  await codex("All well.\\n", 3);
  const failed = review([]);
  expect(failed.exit).toBe(1);
  expect(failed.stderr).toContain("exited with 3");
});

test("in a transcript only the last answer counts; what a tool quotes is no finding", async () => {
  await w.file("repo/new.txt", "x");
  await codex("OpenAI Codex v0.130.0\\nuser\\nlook for [P0]\\nexec\\ncat notes\\n[P1] quoted\\ncodex\\nNothing wrong.\\n");
  expect(review([]).exit).toBe(0);
  await codex("OpenAI Codex v0.130.0\\ncodex\\nlooking\\nexec\\nls\\ncodex\\n- [P2] Wrong\\n");
  expect(review([]).exit).toBe(1);
  await codex("- [P0] Wrong\\ncodex\\nis only a word here\\n");
  expect(review([]).exit).toBe(1);
});

test("tests run beside the review and can fail the whole", async () => {
  await w.file("repo/new.txt", "x");
  const both = review(["--parallel-tests", "echo tested"]);
  expect(both.exit).toBe(0);
  expect(both.stderr).toContain("tested");
  const failed = review(["--parallel-tests", "exit 5"]);
  expect(failed.exit).toBe(1);
  expect(failed.stderr).toContain("failed with 5");
  // Both at once: each waits for the other.
  await program("codex", `until [ -e "$LOG.tests" ]; do sleep 0.05; done; : > "$LOG.review"; echo fine`);
  expect(review(["--parallel-tests", `: > "$LOG.tests"; until [ -e "$LOG.review" ]; do sleep 0.05; done`]).exit).toBe(0);
});

test("the answer can be kept, by flag or environment", async () => {
  await w.file("repo/new.txt", "x");
  review(["--output", join(w.dir, "answer")]);
  expect(readFileSync(join(w.dir, "answer"), "utf8")).toBe("All well.\n");
  review([], { CODEX_REVIEW_OUTPUT: join(w.dir, "answer2") });
  expect(readFileSync(join(w.dir, "answer2"), "utf8")).toBe("All well.\n");
});

test("the guard against a reviewer that starts a reviewer", async () => {
  await w.file("repo/new.txt", "x");
  expect(review([], { CODEX_REVIEW_HELPER_LEVEL: "1" })).toMatchObject({ exit: 78, stdout: "" });
  expect(review([], { CODEX_REVIEW_HELPER_LEVEL: "one" })).toMatchObject({ exit: 2, stdout: "" });
  const nested = review([], { CODEX_REVIEW_HELPER_LEVEL: "1", CODEX_REVIEW_ALLOW_NESTED: "1" });
  expect(nested.exit).toBe(0);
  expect(readFileSync(join(w.dir, "log.marks"), "utf8")).toBe(`2 ${nested.pid}`);
});

test("full access and another Codex are passed on; a Codex that is not there is one sentence", async () => {
  await w.file("repo/new.txt", "x");
  expect(review(["--full-access", "--codex-bin", join(bin, "codex")], { CODEX_BIN: "/nowhere" }).exit).toBe(0);
  expect(argv()).toEqual(["-c", "sandbox_mode=danger-full-access", "review", "--uncommitted"]);
  const missing = review([], { CODEX_BIN: "/nowhere/codex" });
  expect(missing.exit).toBe(1);
  expect(missing.stderr).toContain("/nowhere/codex");
});

test("a dry run prints a command that a shell reads back, and runs nothing", async () => {
  git("checkout", "-q", "-b", "topic");
  await program("codex", `: > "$LOG.ran"`);
  const dry = review(["--dry-run", "--base", "it's $HOME; rm", "--parallel-tests", "npm test", "--output", "out"]);
  expect(dry.exit).toBe(0);
  const lines = Object.fromEntries(
    dry.stdout
      .trimEnd()
      .split("\n")
      .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
  );
  expect(lines).toMatchObject({ target: "branch", branch: "topic", tests: "npm test", fetch: "none", output: "out" });
  const read = Bun.spawnSync(["sh", "-c", `printf '%s\\n' ${lines.review}`], { env });
  expect(read.stdout.toString().trimEnd().split("\n")).toEqual(["codex", "review", "--base", "it's $HOME; rm"]);
  expect(review(["--dry-run", "--mode", "branch"]).stdout).toContain("fetch: git fetch origin main\n");
  expect(existsSync(join(w.dir, "log.ran"))).toBe(false);
});

test.each(["--mode", "--mode ", "--mode all", "--base --dry-run", "--base -x", "--unknown", "word"])("usage: %s", (line) => {
  const done = review(line.split(" "));
  expect(done).toMatchObject({ exit: 2, stdout: "" });
  expect(done.stderr).toStartWith("usage: codex-review");
});

test.each(SHELLS)("in %s: a signal ends review and tests with all their children", async (shell) => {
  await w.file("repo/new.txt", "x");
  await program("codex", `sleep 600 & echo $! > "$LOG.child"; wait`);
  const helper = Bun.spawn(
    [...(shell === "busybox" ? ["busybox", "sh"] : [shell]), HELPER, "--parallel-tests", `sleep 601 & echo $! > "$LOG.child2"; wait`],
    {
      cwd: repo,
      env,
      stdout: "ignore",
      stderr: "ignore",
    },
  );
  const child = (name: string) => (existsSync(join(w.dir, name)) ? Number(readFileSync(join(w.dir, name), "utf8")) : 0);
  const pids = [await until("the review's child", () => child("log.child")), await until("the tests' child", () => child("log.child2"))];
  helper.kill("SIGTERM");
  expect(await helper.exited).toBe(143);
  const alive = (pid: number) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  await until("both children to be gone", () => !pids.some(alive));
});
