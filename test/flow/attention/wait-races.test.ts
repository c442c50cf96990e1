/** Waiting while others write: no event is lost at a wait's start, a loop sees each once, many return at once, and a killed one leaves nothing. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { loadavg } from "node:os";
import { listProcesses } from "../../../src/system/processes/processes.ts";
import { until, World } from "../../harness.ts";
import { LONG } from "../../long.ts";
import { showing, tmux } from "../../panes.ts";
import { boundPair, event, meta, type Pair } from "../../rollout.ts";
import { Chance, MAIN } from "../../served-world.ts";

const ROUNDS = LONG ?? 40;
const AT_ONCE = 200;
const chance = new Chance();
const w = new World();
let pair: Pair;
let writer: Bun.Subprocess<"pipe", "ignore", "inherit">;
/** What another process is to write, by the word that it is told. */
const write = (word: "message" | "turn"): void => {
  writer.stdin.write(`${word}\n`);
  void writer.stdin.flush();
};

beforeAll(async () => {
  w.realTime = true;
  pair = await boundPair(w, { worker: meta() + event({ type: "task_started", turn_id: "a" }) });
  await w.ok(["enqueue-notify-manager", "t1", "--message", "the first"]);
  await w.ok("dispatch");
  await w.ok("manager-inbox t1 --consume-next --json");
  console.log(`seed ${chance.seed}`);
  writer = Bun.spawn([process.execPath, join(import.meta.dir, "wait-writer.ts"), w.dbPath, pair.worker.path], {
    env: w.env,
    stdin: "pipe",
    stdout: "ignore",
    stderr: "inherit",
  });
});
afterAll(async () => {
  writer.kill();
  await writer.exited;
  w.close();
});

/** Which event a fact tells of. */
const named = ({ reason, details }: any): string => `${reason} ${details.notification_id ?? details.event_id}`;
const notYet = async (): Promise<string> => (await w.run("wait t1 --until message,idle --timeout 0")).json().cursor;
const rows = (): string[] => [
  ...w
    .rows<{ id: number }>("select id from routed_notifications where state = 'delivered' and consumed_at is null")
    .map(({ id }) => `message ${id}`),
  ...w.rows<{ id: number }>("select id from codex_events where subtype = 'task_complete'").map(({ id }) => `idle ${id}`),
];

test(`${ROUNDS} races of an event against the start of a wait lose none, and tell none twice`, async () => {
  let cursor = await notYet();
  const seen: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const word = chance.pick(["message", "turn"] as const);
    const early = chance.below(2) === 0;
    if (early) write(word);
    // The other process is on its way for a while that is another one each time.
    const spin = performance.now() + chance.next() * 12;
    while (performance.now() < spin) if (chance.next() < 0.01) await Promise.resolve();
    const waiting = w.run(["wait", "t1", "--until", "message,idle", "--since", cursor, "--timeout", "60"]);
    if (!early) write(word);
    const told = (await waiting).json();
    expect(told.timed_out).toBe(false);
    seen.push(...told.facts.map(named));
    cursor = told.cursor;
  }
  expect(seen).toHaveLength(new Set(seen).size);
  expect(seen.sort()).toEqual(rows().sort());
  expect(seen).toHaveLength(ROUNDS);
}, 600_000);

test("a loop with cursors sees each event once while another process writes as fast as it can", async () => {
  const before = new Set(rows());
  let cursor = await notYetSince();
  const count = LONG === null ? 120 : 2000;
  const seen: string[] = [];
  for (let n = 0; n < count; n++) write(chance.pick(["message", "turn"] as const));
  while (seen.length < count) {
    const told = (await w.run(["wait", "t1", "--until", "message,idle", "--since", cursor, "--timeout", "60"])).json();
    expect(told.timed_out).toBe(false);
    seen.push(...told.facts.map(named));
    cursor = told.cursor;
  }
  expect(seen).toHaveLength(new Set(seen).size);
  expect(seen.sort()).toEqual(
    rows()
      .filter((row) => !before.has(row))
      .sort(),
  );
  expect((await w.run(["wait", "t1", "--until", "message,idle", "--since", cursor, "--timeout", "0"])).exit).toBe(3);
}, 600_000);

/** A cursor from which nothing that is there by now counts. */
async function notYetSince(): Promise<string> {
  return (await w.run("wait t1 --until message,idle --timeout 0")).json().cursor;
}

test(`${AT_ONCE} waits at once all return with the same`, async () => {
  const cursor = await notYetSince();
  const all = Array.from({ length: AT_ONCE }, () =>
    w.run(["wait", "t1", "--until", "message,idle", "--since", cursor, "--timeout", "120"]),
  );
  const began = performance.now();
  write("turn");
  const told = (await Promise.all(all)).map((done) => done.json());
  console.log(`${AT_ONCE} waits in one process: ${(performance.now() - began).toFixed(0)} ms, load ${loadavg()[0]!.toFixed(1)}`);
  expect(new Set(told.map(({ facts }) => facts.map(named).join())).size).toBe(1);
  expect(told[0].facts).toHaveLength(1);
}, 180_000);

test("kill -9 leaves no process, and the terminal that it watched as it was", async () => {
  await showing(w, "one", "nothing asks here");
  w.store().db.run("update sessions set tmux_session = 'one' where name = 'w1'");
  const options = tmux(w, "show-options", "-g") + tmux(w, "show-hooks", "-g") + tmux(w, "show-options", "-t", "one");
  const child = Bun.spawn([...MAIN, "wait", "w1", "--until", "question"], { env: w.env, cwd: w.work, stdout: "ignore", stderr: "ignore" });
  const clients = () => tmux(w, "list-clients", "-F", "#{client_pid} #{client_flags}").trim();
  const client = Number((await until("its ear at the pane", clients, 60)).split(" ")[0]);
  expect(clients()).toMatch(/control-mode.*ignore-size.*read-only/);
  child.kill("SIGKILL");
  await child.exited;
  await until(
    "the end of the client",
    async () => !((await listProcesses(w.env)) ?? []).some(({ pid, parent }) => pid === client || parent === child.pid),
  );
  expect(clients()).toBe("");
  expect(tmux(w, "show-options", "-g") + tmux(w, "show-hooks", "-g") + tmux(w, "show-options", "-t", "one")).toBe(options);
  expect(tmux(w, "list-windows", "-t", "one", "-F", "#{window_width}x#{window_height}").trim()).toBe("120x40");
}, 90_000);
