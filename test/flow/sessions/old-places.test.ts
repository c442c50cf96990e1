/** What servers of ended sessions have left is taken away by prune; what somebody may still need, and what is not ours, is not. */
import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { World } from "../../harness.ts";
import { rollout } from "../../rollout.ts";

const world = new World();
const root = join(world.stateRoot, "artifacts", "served");
const running: Bun.Subprocess[] = [];
afterAll(() => {
  for (const each of running) each.kill("SIGKILL");
  world.close();
});

/** A place as a session leaves it. */
function place(name: string, ...more: string[]): string {
  const folder = join(root, `${name}-served-1`);
  mkdirSync(folder, { recursive: true });
  for (const file of ["server.log", ...more]) writeFileSync(join(folder, file), "words");
  return folder;
}

test("prune takes away the places of sessions that have ended, and no other", async () => {
  const { path } = await rollout(world);
  const registered = await world.ok(["register-worker", "--name", "w1", "--pid", String(process.pid), "--codex-session", path]);
  const listening = place("on-record");
  const socket = join(listening, "socket");
  world.store().db.query("insert into session_sockets (session_id, socket) values (?, ?)").run(registered.session_id, socket);
  const named = place("named");
  running.push(Bun.spawn(["sh", "-c", "read word", "codex-pane", named], { stdin: "pipe" }));
  const begun = place("begun", "start.json");
  const cutOff = place("cut-off", "start.json");
  const ended = place("ended", "outcome.json");
  const holding = place("holding", "outcome.json", "a-file-of-mine");
  const elsewhere = join(world.dir, "elsewhere");
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, "server.log"), "not ours");
  symlinkSync(elsewhere, join(root, "link-served-1"));
  const other = join(root, "other");
  mkdirSync(other);
  writeFileSync(join(other, "server.log"), "not ours");
  const hours = Date.now() / 1000 - 7200;
  utimesSync(join(cutOff, "start.json"), hours, hours);

  expect(await world.ok("prune --dry-run")).toMatchObject({ server_logs_pruned: 0, would_prune_server_logs: 3 });
  expect(existsSync(ended)).toBe(true);
  expect(await world.ok("prune")).toMatchObject({ server_logs_pruned: 3, would_prune_server_logs: 3 });
  expect([ended, cutOff].map((each) => existsSync(each))).toEqual([false, false]);
  for (const kept of [listening, named, begun, elsewhere, other]) expect(existsSync(join(kept, "server.log"))).toBe(true);
  expect([...new Bun.Glob("*").scanSync(holding)]).toEqual(["a-file-of-mine"]);

  world.store().db.run("update sessions set state = 'gone'");
  await world.ok("prune");
  expect(existsSync(listening)).toBe(false);
});
