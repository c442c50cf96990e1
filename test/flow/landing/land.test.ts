/** `land`: what it merges, what it refuses, and what it leaves behind. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { join } from "node:path";
import { World } from "../../harness.ts";
import { git, landingWorld, type LandingWorld, leftovers, prove, together } from "../../landing-world.ts";

let w: World;
let l: LandingWorld;
beforeEach(async () => {
  w = new World();
  w.realTime = true;
  l = await landingWorld(w);
});
afterEach(() => w.close());

test("what is not committed is committed on the worker's branch, proven on the merge, and lands", async () => {
  await Bun.write(join(l.tree, "a.txt"), "one\ntwo\nTHREE\n");
  await Bun.write(join(l.tree, "new file.txt"), "new\n");
  const id = await prove(w, l.tree, ["grep", "-q", "THREE", "a.txt"]);
  await Bun.write(join(l.repo, "b.txt"), "moved\n");
  git(w, l.repo, "commit", "-qam", "second");
  const done = await w.run("land t1 --json");
  console.log(done.stderr);
  expect(done.json()).toMatchObject({
    task: "t1",
    branch: "conveyor/w1",
    into: "main",
    landed: true,
    refused: null,
    conflicts: [],
    restarted: false,
  });
  expect(done.exit).toBe(0);
  expect(done.json().proofs).toMatchObject([{ criterion_id: id, exit_code: 0 }]);
  expect(git(w, l.repo, "log", "--format=%s", "--first-parent")).toBe("Merge conveyor/w1: t1: Ship it\nsecond\nfirst");
  expect(git(w, l.repo, "show", "main:new file.txt")).toBe("new");
  expect(together(w, l.repo)).toBe(true);
  expect(together(w, l.tree)).toBe(true);
  expect(leftovers(w, l.repo)).toEqual([]);
});
