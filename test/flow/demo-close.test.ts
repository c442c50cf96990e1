/** The end of the demonstration: its Dispatch may finish the message at hand, and nothing runs afterwards. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { allAgents } from "../../src/core/agent/agents.ts";
import { closeDemo } from "../../src/flow/qa/demo-close.ts";
import type { DemoFolder } from "../../src/system/demo-folder.ts";
import { until, World } from "../harness.ts";
import { writingPane } from "../panes.ts";
import { boundPair } from "../rollout.ts";

const SRC = resolve(import.meta.dir, "..", "..", "src", "main.ts");
let w: World;
beforeEach(() => {
  w = new World();
  w.realTime = true;
});
afterEach(() => w.close());

const folder = (): DemoFolder => ({
  root: w.dir,
  project: w.work,
  homes: [{ agent: allAgents[0]!, path: join(w.dir, "codex") }],
  database: w.dbPath,
  env: w.env,
});

test("a Dispatch in the middle of a message finishes it, though that takes longer than others are given, and says so", async () => {
  await boundPair(w);
  const typed = await writingPane(w);
  w.store().db.run("update sessions set tmux_session = 'pane' where name = 'w1'");
  const mark = join(w.dir, "pasting");
  // The fault that the real one cannot be made to show: it pastes, four seconds late.
  const slow = await w.file(
    "bin/tmux",
    `#!/bin/sh\nfor word in "$@"; do [ "$word" = paste-buffer ] && { touch ${mark}; sleep 4; }; done\nexec ${Bun.which("tmux")} "$@"\n`,
  );
  chmodSync(slow, 0o755);
  await w.ok(["enqueue-nudge-worker", "t1", "--message", "one."]);
  const dispatch = Bun.spawn([process.execPath, SRC, "dispatch", "--watch", "--json"], {
    env: { ...w.env, PATH: `${join(w.dir, "bin")}:${w.env.PATH}` },
    cwd: w.work,
    stdout: "pipe",
    stderr: "inherit",
    detached: true,
  });
  await until("the paste", () => existsSync(mark));
  const said: string[] = [];
  expect(await closeDemo(w.context(), folder(), [dispatch.pid], (what) => void said.push(what))).toEqual([]);
  expect(await dispatch.exited).toBe(0);
  expect(JSON.parse(await new Response(dispatch.stdout).text()).processed).toMatchObject([{ state: "delivered" }]);
  expect(readFileSync(typed, "utf8")).toBe("one.\n");
  expect(w.rows("select ended_at is not null as ended from dispatchers")).toEqual([{ ended: 1 }]);
  expect(said).toEqual(["Dispatch ends after the message at hand"]);
}, 30_000);

test("without records, or with some that cannot be read, all that runs in its world ends", async () => {
  for (const content of [null, "no database"]) {
    if (content !== null) await Bun.write(w.dbPath, content);
    const left = Bun.spawn(["sleep", "300"], { env: w.env, detached: true });
    expect(await closeDemo(w.context(), folder(), [left.pid], () => {})).toEqual([]);
    await left.exited;
    expect(left.signalCode).toBe("SIGTERM");
  }
});
