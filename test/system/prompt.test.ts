import { afterEach, beforeEach, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { until, World } from "../harness.ts";

let w: World;
beforeEach(() => {
  w = new World();
});
afterEach(() => w.close());

const MAIN = resolve(import.meta.dir, "../../src/main.ts");

/** Runs `--interactive` on a terminal of its own; stdout goes to a file. */
function onTerminal() {
  let screen = "";
  const result = join(w.dir, "result.json");
  const child = Bun.spawn(["sh", "-c", 'exec "$0" "$1" manager-config t1 --interactive > "$2"', process.execPath, MAIN, result], {
    env: w.env,
    cwd: w.work,
    terminal: { cols: 120, rows: 40, data: (_terminal, bytes) => void (screen += bytes.toString()) },
  });
  const seen = (text: string) => until(text, () => screen.includes(text));
  return { child, seen, result, type: (keys: string) => child.terminal!.write(keys), screen: () => screen };
}

test("the questions are asked on the terminal and the result stays on stdout", async () => {
  await w.ok("tasks --create t1 --goal G");
  const { child, seen, result, type } = onTerminal();
  const steps: [string, string][] = [
    ["How closely", "\x1b[B\x1b[B\r"],
    ["What is the objective", "Ship it\r"],
    ["Which guidelines", "a, b\r"],
    ["What must be true", "\r"],
    ["Which files", "\r"],
    ["open pull requests", "y"],
    ["merge green", "n"],
    ["compact or clear", "n"],
    ["Which tools", "bun\r"],
    ["Which steps", " \r"],
    ["completes a turn", "\r"],
    ["acknowledge the task", "y"],
  ];
  for (const [question, keys] of steps) {
    await seen(question);
    type(keys);
  }
  expect(await child.exited).toBe(0);
  expect(JSON.parse(readFileSync(result, "utf8"))).toMatchObject({
    supervision_mode: "strict",
    objective: "Ship it",
    guidelines: ["a", "b"],
    tools: ["bun"],
    epilogues: ["draft-pr"],
    require_acks: true,
    permissions: { repo: ["open_pr"] },
  });
});

test("cancelling stores nothing", async () => {
  await w.ok("tasks --create t1 --goal G");
  const { child, seen, type, screen } = onTerminal();
  await seen("How closely");
  type("\x03");
  expect(await child.exited).toBe(1);
  expect(screen()).toContain("cancelled; nothing was stored");
  expect(w.rows("select 1 from manager_configs")).toEqual([]);
});
