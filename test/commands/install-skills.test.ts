import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { World } from "../harness.ts";

let w: World;
let skills: string;
beforeEach(() => {
  w = new World();
  skills = join(w.dir, "codex", "skills");
});
afterEach(() => w.close());

const helper = () => join(skills, "codex-review", "scripts", "codex-review");
const actions = async (words: string) =>
  (await w.ok(`install-skills --json ${words}`)).skills.map((skill: { action: string }) => skill.action);

test("installs both, leaves identical ones alone, and replaces one that differs in any way", async () => {
  expect(await actions("")).toEqual(["installed", "installed"]);
  expect(statSync(helper()).mode & 0o777).toBe(0o755);
  expect(readFileSync(helper(), "utf8")).toStartWith("#!/bin/sh\n");
  expect(await actions("")).toEqual(["unchanged", "unchanged"]);

  chmodSync(helper(), 0o644);
  expect(await actions("--dry-run")).toEqual(["unchanged", "replaced"]);
  expect(await actions("")).toEqual(["unchanged", "replaced"]);
  writeFileSync(join(skills, "manage-codex-workers", "own.md"), "mine");
  mkdirSync(join(skills, "codex-review", "empty"));
  expect(await actions("")).toEqual(["replaced", "replaced"]);
  expect(existsSync(join(skills, "manage-codex-workers", "own.md"))).toBe(false);
  expect(readdirSync(skills).sort()).toEqual(["codex-review", "manage-codex-workers"]);
});

test("a link in a skill's place is replaced itself, and what it points to stays as it was", async () => {
  const outside = join(w.dir, "outside");
  mkdirSync(join(outside, "scripts"), { recursive: true });
  writeFileSync(join(outside, "SKILL.md"), "theirs");
  mkdirSync(skills, { recursive: true });
  symlinkSync(outside, join(skills, "codex-review"));
  await w.ok("install-skills");
  expect(lstatSync(join(skills, "codex-review")).isSymbolicLink()).toBe(false);
  expect(readdirSync(outside).sort()).toEqual(["SKILL.md", "scripts"]);
  expect(readFileSync(join(outside, "SKILL.md"), "utf8")).toBe("theirs");
});

test("a link inside a skill is not written through", async () => {
  await w.ok("install-skills");
  const victim = await w.file("victim", "precious");
  const file = join(skills, "codex-review", "SKILL.md");
  await Bun.file(file).delete();
  symlinkSync(victim, file);
  expect(await actions("")).toEqual(["unchanged", "replaced"]);
  expect(readFileSync(victim, "utf8")).toBe("precious");
});

test("a skills folder that leads out of the home is refused, with the way that says so outright", async () => {
  const outside = join(w.dir, "outside");
  mkdirSync(outside);
  symlinkSync(outside, skills);
  const refused = await w.run("install-skills");
  expect(refused.exit).toBe(1);
  expect(refused.stderr).toContain(`--dir ${outside}`);
  expect(readdirSync(outside)).toEqual([]);
  expect((await w.run(["install-skills", "--dir", outside])).exit).toBe(0);
  expect(readdirSync(outside).sort()).toEqual(["codex-review", "manage-codex-workers"]);
});

test("other agents: Claude's folder, or any folder named", async () => {
  const claude = await w.ok("install-skills --agent claude --json");
  expect(claude.directory).toBe(join(w.dir, "home", ".claude", "skills"));
  const moved = await w.ok(["install-skills", "--agent", "claude", "--dry-run", "--json"], { env: { CLAUDE_CONFIG_DIR: "~/elsewhere" } });
  expect(moved.directory).toBe(join(w.dir, "home", "elsewhere", "skills"));
  expect(await w.ok("install-skills --dir own --dry-run --json")).toMatchObject({
    directory: join(w.work, "own"),
    installed: [],
    dry_run: true,
  });
  expect(existsSync(join(w.work, "own"))).toBe(false);
  expect((await w.run("install-skills --dir own --codex-home x")).exit).toBe(2);
});

test("a folder that cannot be written is one sentence and leaves nothing behind", async () => {
  await w.file("codex/skills", "a file in the way");
  const failed = await w.run("install-skills");
  expect(failed.exit).toBe(1);
  expect(failed.stderr).toContain(join(skills, "manage-codex-workers"));
  expect(failed.stderr.trim().split("\n")).toHaveLength(1);
  expect(readdirSync(join(w.dir, "codex"))).toEqual(["skills"]);
});
