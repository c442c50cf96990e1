/** A session that its agent lists is known once its first words are written: others speak to it only after them. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { agents } from "../../../src/core/agent/agents.ts";
import { locate } from "../../../src/flow/sessions/locate.ts";
import { machineOf } from "../../../src/system/agent/agents.ts";
import { startTicks } from "../../../src/system/processes/processes.ts";
import { World } from "../../harness.ts";

const { claude } = agents;
const SESSION = "0f9d2c1e-5a40-4f7b-9c55-1d2e3f4a5b6c";
let w: World;
let home: string;

beforeEach(() => {
  w = new World();
  home = join(w.dir, "claude");
  w.env[claude.home.variable] = home;
  mkdirSync(join(home, "sessions"), { recursive: true });
  // This very process is the session.
  const { pid } = process;
  const entry = { pid, sessionId: SESSION, procStart: startTicks(pid), kind: "interactive", cwd: w.work, status: "busy" };
  writeFileSync(join(home, "sessions", `${pid}.json`), JSON.stringify(entry));
});
afterEach(() => w.close());

const look = (prompt: string | null) => {
  const facts = { pid: process.pid, cwd: w.work, prompt, sessionId: SESSION, launchedAt: 0, resume: null };
  return locate(w.context(), w.store(), claude, facts);
};

test("with first words it is not known before they are written, and then by the place where they stand", async () => {
  expect(await look("go")).toEqual({ found: null, reason: `the first words to the session ${SESSION} are not written yet` });
  const path = machineOf(claude).transcriptPlace(home, SESSION, w.work)!;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify({ type: "mode", mode: "normal", sessionId: SESSION })}\n`);
  expect(await look("go")).toMatchObject({ found: { pid: process.pid, threadId: SESSION, rolloutPath: path } });
});

test("without any it is known as soon as it is listed", async () => {
  expect(await look(null)).toMatchObject({ found: { pid: process.pid, threadId: SESSION } });
});
