/** Looking at a repository that names programs of its own: none of them runs. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDraft, recentPullRequests } from "../../src/system/git/gh.ts";
import { summariseChanges } from "../../src/system/git/git.ts";
import { treeState } from "../../src/system/git/tree-state.ts";

let dir: string;
let ran: string;
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), "safe-git-")));
  ran = join(dir, "ran");
});
afterEach(() => rmSync(dir, { recursive: true }));

const env = { PATH: process.env.PATH, HOME: "/nowhere", GIT_CONFIG_NOSYSTEM: "1" };

function git(folder: string, ...words: string[]): void {
  const done = Bun.spawnSync(
    ["git", "-C", folder, "-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "protocol.file.allow=always", ...words],
    { env },
  );
  if (done.exitCode !== 0) throw new Error(done.stderr.toString());
}

function repository(name: string): string {
  const folder = join(dir, name);
  git(dir, "init", "-q", name);
  writeFileSync(join(folder, "file"), "one\n");
  git(folder, "add", ".");
  git(folder, "commit", "-q", "-m", "first");
  return folder;
}

/** Every way of naming a program that a look at the changes might run. */
function booby(folder: string): void {
  const trap = `touch '${ran}'; cat`;
  git(folder, "config", "filter.evil.clean", trap);
  git(folder, "config", "filter.evil.required", "true");
  git(folder, "config", "filter.a=b.c d.clean", trap);
  git(folder, "config", "diff.evil.command", trap);
  git(folder, "config", "diff.evil.textconv", trap);
  git(folder, "config", "diff.external", trap);
  git(folder, "config", "core.fsmonitor", `touch '${ran}'`);
  git(folder, "config", "core.pager", trap);
  git(folder, "config", "include.path", "included");
  writeFileSync(join(folder, ".git", "included"), `[filter "hidden"]\n\tclean = "touch '${ran}'; cat"\n`);
  writeFileSync(
    join(folder, ".git", "info", "attributes"),
    "file filter=evil diff=evil\nother filter=a=b.c\\ d\nthird filter=hidden diff=evil\n",
  );
}

test("no filter, difference program or monitor of the repository runs, and the changes are seen", async () => {
  const folder = repository("work");
  for (const name of ["other", "third"]) writeFileSync(join(folder, name), "one\n");
  git(folder, "add", ".");
  git(folder, "commit", "-q", "-m", "more");
  const clean = await treeState(env, folder, []);
  booby(folder);
  for (const name of ["file", "other", "third"]) writeFileSync(join(folder, name), "two\n");
  const state = await treeState(env, folder, []);
  expect([clean?.dirty, state?.dirty, state?.head === clean?.head]).toEqual([false, true, true]);
  expect(await summariseChanges(env, folder)).toMatchObject({ working_tree_diff_name_only: "file\nother\nthird\n", error: null });
  expect(existsSync(ran)).toBe(false);
});

test("nor one of a submodule, whose commit and files count", async () => {
  const inner = repository("inner");
  const folder = repository("outer");
  git(folder, "submodule", "--quiet", "add", inner, "inner");
  git(folder, "commit", "-q", "-m", "with a submodule");
  const below = join(folder, "inner");
  const before = await treeState(env, folder, []);
  git(below, "config", "filter.evil.clean", `touch '${ran}'; cat`);
  writeFileSync(join(below, ".gitattributes"), "* filter=evil\n");
  writeFileSync(join(below, "file"), "two\n");
  const changed = await treeState(env, folder, []);
  expect([changed?.head, changed?.diff_sha256 === before?.diff_sha256]).toEqual([before?.head, false]);
  await summariseChanges(env, folder);
  expect(existsSync(ran)).toBe(false);
  git(below, "-c", "filter.evil.clean=cat", "commit", "-q", "-a", "-m", "second");
  expect((await treeState(env, folder, []))?.dirty).toBe(true);
});

test("what is no repository is none", async () => {
  expect(await treeState(env, dir, [])).toBeNull();
  expect((await summariseChanges(env, dir)).error).toContain("not a git repository");
  expect((await summariseChanges({ PATH: "/nowhere" }, dir)).error).toBe("git is not on PATH");
});

/** Where gh ran, with what, and what it was told on its input. */
async function withGh(settings: (folder: string) => void, home: Record<string, string> = {}) {
  const folder = repository("work");
  settings(folder);
  booby(folder);
  for (const name of ["pre-push", "post-index-change", "reference-transaction", "post-checkout"]) {
    writeFileSync(join(folder, ".git", "hooks", name), `#!/bin/sh\ntouch '${ran}'\n`, { mode: 0o755 });
  }
  for (const key of ["core.sshCommand", "core.askPass", "credential.helper", "alias.remote", "alias.config", "core.alternateRefsCommand"])
    git(folder, "config", key, `!touch '${ran}'`);
  const bin = join(dir, "bin");
  mkdirSync(bin, { recursive: true });
  // Asks git as gh does: what would run in the repository runs here, too.
  writeFileSync(
    join(bin, "gh"),
    `#!/bin/sh\n{ pwd; printf '%s ' "$@"; echo; git status --porcelain 2>&1; git remote -v 2>&1; env | grep '^GIT_DIR' ; } >> '${dir}/gh.log'\necho '[{"number":1}]'\n`,
    { mode: 0o755 },
  );
  const mine = { ...env, ...home, PATH: `${bin}:${env.PATH}`, GIT_DIR: join(folder, ".git") };
  const list = await recentPullRequests(mine, folder);
  const created = await openDraft(mine, folder, "a title", "the body", 10_000);
  const log = existsSync(join(dir, "gh.log")) ? readFileSync(join(dir, "gh.log"), "utf8") : "";
  expect(existsSync(ran)).toBe(false);
  expect(log).not.toContain(folder);
  return { list, created, log };
}

test("gh never runs in the repository: it is told which one it is, and the branch", async () => {
  const { list, created, log } = await withGh((folder) => {
    git(folder, "checkout", "-q", "-b", "topic/one");
    git(folder, "remote", "add", "other", "https://github.com/them/fork.git");
    git(folder, "remote", "add", "origin", "git@github.com:owner/name.git");
  });
  expect([list, created.code]).toEqual([[{ number: 1 }], 0]);
  expect(log).toContain("pr list --state all --limit 5 --json number,title,state,url,headRefName --repo github.com/owner/name");
  expect(log).toContain("pr create --draft --title a title --body-file - --repo github.com/owner/name --head topic/one");
});

for (const [what, address] of [
  ["a host that the person's gh does not know", "https://evil.example/owner/name"],
  ["a program in place of an address", "ext::sh -c touch% /tmp/x"],
  ["a name that would be a flag", "https://github.com/--web/name"],
  ["a path", "/somewhere/else"],
] as const) {
  test(`gh is not pointed to ${what}`, async () => {
    const { list, log } = await withGh((folder) => git(folder, "config", "remote.origin.url", address));
    expect(list).toEqual([]);
    expect(log).not.toContain("--repo");
  });
}

test("gh is pointed to a host of the person's own", async () => {
  mkdirSync(join(dir, "gh-config"));
  writeFileSync(join(dir, "gh-config", "hosts.yml"), "ghe.example:\n    user: me\n");
  const home = { GH_CONFIG_DIR: join(dir, "gh-config") };
  const { log } = await withGh((folder) => git(folder, "remote", "add", "upstream", "ssh://git@ghe.example:22/owner/name"), home);
  expect(log).toContain("--repo ghe.example/owner/name");
});
