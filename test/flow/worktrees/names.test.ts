/** What a branch of a worktree may be called. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { TreeWorld } from "./tree-world.ts";

let w: TreeWorld;
beforeEach(() => {
  w = new TreeWorld();
});
afterEach(() => w.close());

test("a branch said in full is the one of that name, and what git reads as something else is no name", async () => {
  expect((await w.made("w1", { branch: "refs/heads/q" })).branch).toBe("refs/heads/q");
  expect(w.refOf("refs/heads/refs/heads/q")).toBeNull();
  expect((await w.made("w1", { branch: "q" })).branch).toBe("refs/heads/q");
  for (const branch of ["@", "HEAD", "-x", "../..", "a..b", "x.lock", "a\nb"])
    await expect(w.made("w2", { branch })).rejects.toThrow("cannot be the name of a branch");
  expect(w.rows("select 1 from worktrees")).toHaveLength(1);
});
