/** Looking at the sessions while pages are open: one look at a time, and none that outlives its end. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Machine } from "../../src/dashboard/machine.ts";
import { listSessions } from "../../src/store/sessions/list.ts";
import { findSession } from "../../src/store/sessions/sessions.ts";
import { FIXTURES, until, World } from "../harness.ts";
import { Stage } from "./stage.ts";

let w: World;
beforeEach(() => {
  w = new World();
});
afterEach(() => w.close());

test("pages that come and go begin no second look beside the first", async () => {
  const cx = w.context();
  let looks = 0;
  const machine = new Machine(
    cx,
    cx.store(),
    () => (looks++, []),
    () => {},
    () => {},
  );
  for (const open of [true, false, true, false, true]) machine.watch(open);
  await machine.close();
  expect(looks).toBe(1);
});

test("looks that fail are said once, though each in other words, and end nothing", async () => {
  const cx = w.context();
  const problems: string[] = [];
  let looks = 0;
  const broken = () => {
    looks++;
    throw new Error(`disk I/O error ${looks}`);
  };
  const machine = new Machine(
    cx,
    cx.store(),
    broken,
    () => {},
    (message) => void problems.push(message),
  );
  machine.watch(true);
  await until("the first problem", () => problems.length > 0);
  machine.watch(false);
  machine.watch(true);
  await machine.close();
  expect(looks).toBe(2);
  expect(problems).toEqual(["the sessions could not be looked at: disk I/O error 1"]);
});

test("the end waits for a look that has begun", async () => {
  const cx = w.context();
  const store = cx.store();
  let asked = false;
  const watched = {
    ...store,
    get db() {
      asked = true;
      return store.db;
    },
  };
  const machine = new Machine(
    cx,
    watched,
    () => [],
    () => {},
    () => {},
  );
  machine.watch(true);
  expect(asked).toBe(false);
  await machine.close();
  expect(asked).toBe(true);
});

test("a dialog in a terminal is told, and that it is gone; so is a session that no longer runs", async () => {
  const stage = new Stage(w);
  const prompt = readFileSync(join(FIXTURES, "codex-0.169.0", "screens", "approval-prompt.ansi"), "utf8");
  const asking = await stage.session("worker", "asking", prompt);
  const cx = w.context();
  const store = cx.store();
  const { id } = findSession(store, asking.name)!;
  let changes = 0;
  const machine = new Machine(
    cx,
    store,
    () => listSessions(store, {}),
    () => void changes++,
    () => {},
  );
  machine.watch(true);
  try {
    await until("the dialog", () => machine.look.sign(id).dialog !== null);
    expect(machine.look.sign(id)).toMatchObject({
      processAlive: true,
      page: "command_approval",
      terminal: { running: true, width: 100, height: 26 },
    });
    Bun.spawnSync(["tmux", "send-keys", "-t", `=${asking.name}:`, "-R"], { env: w.env });
    Bun.spawnSync(["tmux", "clear-history", "-t", `=${asking.name}:`], { env: w.env });
    await until("the dialog is gone", () => machine.look.sign(id).dialog === null);
    Bun.spawnSync(["tmux", "kill-session", "-t", `=${asking.name}`], { env: w.env });
    await until(
      "the session is gone",
      () => machine.look.sign(id).terminal?.running === false && machine.look.sign(id).processAlive === false,
    );
    expect(changes).toBeGreaterThanOrEqual(3);
  } finally {
    await machine.close();
  }
});
