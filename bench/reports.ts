/**
 * What reports cost in a large file compared with a small one that shows the same: `bench/reports.ts [EVENTS] [PROGRAM …]`.
 * The large file has EVENTS events (1,000,000), a tenth as many commands and a hundredth as many tasks; both have one task of the same size, and a busy one.
 * Then an export of a task with EVENTS events of its own, with the most memory it took.
 */
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeContext } from "../src/context.ts";
import { run } from "../src/run.ts";
import { openStore } from "../src/store/open.ts";
import type { Store } from "../src/store/store.ts";
import { createTask } from "../src/store/tasks/tasks.ts";
import { programOf } from "./program.ts";

const [events = "1000000", ...given] = process.argv.slice(2);
const EVENTS = Number(events);
const ROUNDS = 15;
const dir = mkdtempSync(join(tmpdir(), "conveyor-bench-"));
const NOW = Date.now();

/** Rows as a supervised task leaves them, `count` events over `tasks` tasks, all older than a day but for the last. */
function fill(store: Store, tasks: number, count: number, prefix: string, from = NOW - 30 * 864e5): void {
  const { db } = store;
  const time = (step: number) => `strftime('%Y-%m-%dT%H:%M:%fZ', ${from / 1000} + i * ${step}, 'unixepoch')`;
  const series = (n: number) => `with recursive n(i) as (select 0 union all select i + 1 from n where i + 1 < ${n})`;
  const step = (20 * 86_400) / count;
  db.run(
    `${series(tasks)} insert into tasks select '${prefix}' || i, '${prefix}' || i, 'g', null, 'done', ${time((20 * 86_400) / tasks)}, ${time((20 * 86_400) / tasks)} from n`,
  );
  db.run(`${series(count)} insert into events (created_at, actor, task_id, type, payload_json)
    select ${time(step)}, 'workerctl', '${prefix}' || (i % ${tasks}), case i % 20 when 0 then 'acceptance_criterion_added' else 'note' end, '{"criterion":"c","criterion_id":1,"status":"proposed","text":"something that happened"}' from n`);
  db.run(
    `${series(count)} insert into telemetry_events select '${prefix}-' || i, null, '${prefix}' || (i % ${tasks}), ${time(step)}, 'workerctl', 'type_' || (i % 12), case i % 50 when 0 then 'warning' else 'info' end, 'word' || (i % 1000), '{}', '{"n":1}' from n`,
  );
  db.run(
    "insert into telemetry_events_fts (event_id, task_id, run_id, actor, event_type, summary, attributes) select id, task_id, run_id, actor, event_type, summary, attributes_json from telemetry_events where id like ?",
    [`${prefix}-%`],
  );
  const commands = Math.max(10, count / 10);
  db.run(`${series(commands)} insert into commands (id, idempotency_key, created_at, updated_at, task_id, correlation_id, type, state, payload_json)
    select '${prefix}-c' || i, '${prefix}-c' || i, ${time(step * 10)}, ${time(step * 10)}, '${prefix}' || (i % ${tasks}), 'k' || i, case i % 5 when 0 then 'task_nudge' else 'nudge_worker' end, 'succeeded', '{"message":"go on"}' from n`);
  db.run(
    `insert into command_attempts (command_id, correlation_id, dispatcher_id, started_at, finished_at, state) select id, 'k', 'd', created_at, updated_at, 'succeeded' from commands where id like '${prefix}-c%'`,
  );
  db.run(
    `${series(commands)} insert into manager_cycles (task_id, started_at, completed_at, state, status_json) select '${prefix}' || (i % ${tasks}), ${time(step * 10)}, ${time(step * 10)}, 'succeeded', '{"state":"busy","pane_signal":{"captured":true}}' from n`,
  );
  db.run(
    `${series(commands / 5)} insert into manager_decisions (task_id, decision, reason, created_at, payload_json) select '${prefix}' || (i % ${tasks}), 'nudge', 'r', ${time(step * 50)}, '{}' from n`,
  );
}

function make(name: string, others: number): string {
  const path = join(dir, name);
  let serial = 0;
  const store = openStore(path, { now: () => new Date().toISOString(), newId: (prefix) => `${prefix}-${++serial}` });
  if (others > 0) store.db.transaction(() => fill(store, Math.max(1, others / 100), others, "other"))();
  store.db.transaction(() => fill(store, 1, 1000, "shown", NOW - 40 * 864e5))();
  createTask(store, { name: "fresh", goal: "g" });
  store.db.close();
  return path;
}

async function once(argv: readonly string[], path: string): Promise<number> {
  const cx = makeContext({
    env: {},
    cwd: dir,
    argv0: "conveyor",
    tty: { in: false, out: false, err: false },
    write: () => {},
    readStdin: () => new Uint8Array(),
    clock: Date.now,
    uuid: () => crypto.randomUUID(),
  });
  const before = performance.now();
  await run([...argv, "--path", path], cx);
  return performance.now() - before;
}

const VIEWS = [
  "audit shown0",
  "audit shown0 --json",
  "audit shown0 --verify",
  "mutation-audit shown0",
  "replay shown0",
  "replay shown0 --limit 20",
  "replay shown0 --format transcript",
  "telemetry",
  "telemetry --newest",
  "telemetry --task shown0",
  "telemetry --severity error",
  "telemetry --event-type type_3",
  "telemetry --actor workerctl --newest",
  "telemetry --task shown0 --severity warning",
  "telemetry --task shown0 --event-type type_3",
  "telemetry --task shown0 --actor workerctl",
  "telemetry --task shown0 --search word7",
  "telemetry --search n",
  "telemetry --search n --newest",
  "telemetry --summary --json",
  "telemetry --summary --task shown0",
  "telemetry metrics",
  "telemetry snapshot",
  "telemetry check",
  "telemetry snapshot --task shown0",
  "telemetry task shown0",
  "telemetry check --task shown0",
  "telemetry failures",
  "telemetry failures --task shown0",
  "telemetry metrics --task shown0 --window 90d",
  "runs --list",
  "commands --task shown0",
  "tasks --active",
  "sessions",
  "discover shown0",
  "criteria shown0 --list",
];

async function compare(): Promise<void> {
  const [small, large] = [make("small.db", 0), make("large.db", EVENTS)];
  console.log(
    `${(statSync(small).size / 1e6).toFixed(1)} MB against ${(statSync(large).size / 1e6).toFixed(0)} MB; medians of ${ROUNDS}, in ms\n`,
  );
  for (const view of VIEWS) {
    const argv = view.split(" ");
    const samples: [number[], number[]] = [[], []];
    // Side by side, so that a busy machine hits both.
    for (let round = 0; round < ROUNDS + 2; round++)
      for (const [n, path] of [small, large].entries())
        if (round > 1) samples[n]!.push(await once(argv, path));
        else await once(argv, path);
    const [a, b] = samples.map((each) => each.sort((x, y) => x - y)[Math.floor(each.length / 2)]!) as [number, number];
    console.log(`${view.padEnd(44)} ${a.toFixed(2).padStart(8)} ${b.toFixed(2).padStart(8)}   ×${(b / a).toFixed(2)}`);
  }
}

async function exported(): Promise<void> {
  const path = join(dir, "one.db");
  const store = openStore(path, { now: () => new Date().toISOString(), newId: (prefix) => `${prefix}-${crypto.randomUUID()}` });
  store.db.transaction(() => fill(store, 1, EVENTS, "shown"))();
  store.db.close();
  for (const line of [
    "replay shown0 --limit 20",
    "replay shown0",
    "audit shown0 --json",
    "export-task shown0 --output OUT --zip",
    "verify OUT.zip",
  ]) {
    const argv = line.replaceAll("OUT", join(dir, "out")).split(" ");
    const child = Bun.spawn([...programOf(given), ...argv, ...(argv[0] === "verify" ? [] : ["--path", path])], {
      stdout: "ignore",
      stderr: "inherit",
    });
    await child.exited;
    const used = child.resourceUsage()!;
    console.log(
      `${line.padEnd(44)} ${((used.cpuTime.total as unknown as number | bigint) ? Number(used.cpuTime.total) / 1e6 : 0).toFixed(1)} s CPU, at most ${(used.maxRSS / 1e6).toFixed(0)} MB`,
    );
  }
}

try {
  await compare();
  console.log(`\na task with ${EVENTS} events, each command in a process of its own`);
  await exported();
} finally {
  if (existsSync(dir)) rmSync(dir, { recursive: true });
}
