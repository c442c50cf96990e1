import { afterEach, beforeEach, expect, test } from "bun:test";
import { World, words } from "../../harness.ts";

let w: World;
beforeEach(async () => {
  w = new World();
  await w.ok(["tasks", "--create", "my task", "--goal", "G"]);
});
afterEach(() => w.close());

const ANSWER = "Must-have:\n- it's done\n- `--json`\nFollow-up:\n- later\n";

test("the printed commands can be run as they are", async () => {
  const path = await w.file("answer.md", ANSWER);
  const text = await w.ok<string>(["criteria-plan", "my task", "--from-worker-response", path]);
  expect(text.split("\n").filter((line) => line.startsWith("#"))).toHaveLength(3);
  for (const line of text.split("\n").filter((each) => each.startsWith("conveyor ")))
    await w.ok(words(line.replaceAll(`'\\''`, "’")).slice(1));
  expect(await w.ok(["criteria", "my task", "--list"])).toMatchObject({
    criteria: [
      { criterion: "it’s done", status: "accepted" },
      { criterion: "--json", status: "accepted" },
      { criterion: "later", status: "deferred", rationale: expect.any(String) },
    ],
  });
});

test("a database given to the call is in the commands, the task by its name", async () => {
  await w.ok("tasks --create t --goal G --path other.db");
  const id = w.rows<{ id: string }>("select id from tasks")[0]!.id;
  const plan = await w.ok(["criteria-plan", id, "--from-stdin", "--json"], { stdin: ANSWER });
  expect(plan.task).toBe("my task");
  const other = await w.ok(["criteria-plan", "t", "--from-text", ANSWER, "--json", "--path", "other.db"]);
  expect(other.suggestions[0].command.slice(-2)).toEqual(["--path", `${w.work}/other.db`]);
});

test("a missing file, a terminal and two sources are refused", async () => {
  expect(await w.run(["criteria-plan", "my task", "--from-worker-response", "none.md"])).toMatchObject({ exit: 1, stdout: "" });
  expect(await w.run(["criteria-plan", "my task", "--from-stdin"], { tty: true })).toMatchObject({ exit: 1, stdout: "" });
  expect((await w.run(["criteria-plan", "my task"])).exit).toBe(2);
  expect((await w.run(["criteria-plan", "my task", "--from-stdin", "--from-text", "x"])).exit).toBe(2);
});
