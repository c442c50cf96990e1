/** The demonstration of a crew, whole and with the real programs: Codex, and Claude Code for the third worker where it is here. */
import { afterAll, expect, test } from "bun:test";
import { program } from "../claude-world.ts";
import { World } from "../harness.ts";

const world = new World();
world.realTime = true;
afterAll(() => world.close());

test("one leads three in worktrees: two land, one is refused since its proof fails on the merge, and nothing is left", async () => {
  const third = program === null ? "codex" : "claude";
  const env = { PATH: program === null ? world.env.PATH : `${program}:${world.env.PATH}` };
  const result = await world.ok("demo --crew --json", { env });
  expect(result.failed).toBe(null);
  expect(result).toMatchObject({
    ok: true,
    folder: null,
    database: null,
    agents: { manager: { agent: "codex" }, worker: { agent: "codex" } },
  });
  const refused = expect.stringContaining("the proof does not hold on the merge: criterion 3: sh shout.test.sh ended with 1");
  expect(result.crew).toEqual([
    { task: "hello", worker: "demo-hello", agent: "codex", landed: true, refused: null },
    { task: "bye", worker: "demo-bye", agent: "codex", landed: true, refused: null },
    { task: "shout", worker: "demo-shout", agent: third, landed: false, refused },
  ]);
  expect(result.steps.map(({ name }: { name: string }) => name).slice(-4)).toEqual([
    "land: two of them are merged, proven once more on the merge, and land",
    "land: the third is refused, since its proof fails on the merged tree although it passed alone",
    "main and its checkout have the two that landed, and nothing of the third, which lies whole in its worktree",
    "nothing runs afterwards",
  ]);
}, 180_000);
