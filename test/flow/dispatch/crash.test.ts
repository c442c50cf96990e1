/** Dispatchers killed at every step: nothing is lost, nothing arrives twice, and what is uncertain is on record. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createCommand } from "../../../src/store/dispatch/commands.ts";
import { tx } from "../../../src/store/store.ts";
import { until, World } from "../../harness.ts";
import { LONG } from "../../long.ts";
import { writingPane } from "../../panes.ts";
import { boundPair, event, type Pair } from "../../rollout.ts";

const SRC = resolve(import.meta.dir, "../../../src/main.ts");
const CHILD = resolve(import.meta.dir, "crash-child.ts");

let w: World;
let pair: Pair;
/** What was typed into the worker's pane, a line each. */
let typed: string;
beforeEach(async () => {
  w = new World();
  w.realTime = true;
  pair = await boundPair(w);
  typed = await writingPane(w);
  w.store().db.query("update sessions set tmux_session = 'pane' where name = 'w1'").run();
});
afterEach(() => w.close());

let serial = 0;
/** One message of each kind: typed to the worker, pulled by the manager, the end of a turn. */
async function queue(attempts = 3): Promise<void> {
  serial++;
  await w.ok(["enqueue-nudge-worker", "t1", "--message", `push-${serial}.`]);
  await w.ok(["enqueue-notify-manager", "t1", "--message", `pull-${serial}.`]);
  w.store().db.query("update commands set max_attempts = ? where state = 'pending'").run(attempts);
  // Ended now, not before the binding: of those only the newest would be told of.
  pair.worker.append(
    event({ type: "task_complete", turn_id: `turn-${serial}` }).replace("2020-01-01T00:00:01.000Z", new Date().toISOString()),
  );
}

const child = async (words: string[], env: Record<string, string> = {}): Promise<NodeJS.Signals | number | null> => {
  const process_ = Bun.spawn([process.execPath, ...words], { env: { ...w.env, ...env }, cwd: w.work, stdout: "ignore", stderr: "ignore" });
  await process_.exited;
  return process_.signalCode;
};

/** What the next dispatcher does once the leases of the dead one have run out. */
async function recover(): Promise<void> {
  const { db } = w.store();
  db.run("update commands set claim_expires_at = '2020-01-01T00:00:00Z' where state = 'attempted'");
  db.run(
    "update routed_notifications set claim_expires_at = '2020-01-01T00:00:00Z' where state = 'pending' and claim_expires_at is not null",
  );
  while ((await w.ok("dispatch --ingest --limit 100 --json")).processed_count > 0);
}

const linesTyped = (): string[] => readFileSync(typed, "utf8").split("\n");

/** The promise: counted over everything that was ever queued. */
async function account(): Promise<{ uncertain: number }> {
  const pushed = w.rows<{ id: string; state: string; message: string; started: number }>(
    `select c.id, c.state, json_extract(c.payload_json, '$.message') as message,
            (select max(side_effect_started) from command_attempts where command_id = c.id and state in ('failed', 'succeeded')) as started
     from commands c where type = 'nudge_worker'`,
  );
  let uncertain = 0;
  for (const { state, message, started } of pushed) {
    expect(["succeeded", "failed"]).toContain(state);
    if (state === "succeeded") await until(`${message} in the pane`, () => linesTyped().some((line) => line.includes(message)));
    const times = linesTyped().join("\n").split(message).length - 1;
    expect(times).toBeLessThanOrEqual(1);
    if (state === "failed") {
      expect(started).toBe(1);
      uncertain++;
    }
  }
  // Nothing was typed for those that pull: each is there exactly once.
  const pulls = w.rows<{ state: string; n: number }>(
    "select state, count(*) as n from routed_notifications where signal_type in ('notify_manager', 'worker_task_complete') group by state",
  );
  expect(pulls).toEqual([{ state: "delivered", n: 2 * serial }]);
  expect(w.rows("select count(distinct command_id) as n from routed_notifications where signal_type = 'notify_manager'")).toEqual([
    { n: serial },
  ]);
  expect(
    w.rows("select count(distinct source_event_id) as n from routed_notifications where signal_type = 'worker_task_complete'"),
  ).toEqual([{ n: serial }]);
  expect(w.rows("select 1 from command_attempts where state = 'running'")).toEqual([]);
  expect(w.rows("select 1 from commands c where state = 'attempted'")).toEqual([]);
  expect(w.rows("select 1 from routed_notifications where side_effect_completed > side_effect_started")).toEqual([]);
  expect((await w.ok("dispatch status --json")).uncertain.count).toBe(uncertain);
  return { uncertain };
}

beforeEach(() => {
  serial = 0;
});

test("killed before and after each of its commits", async () => {
  let died = 0;
  for (const when of ["before", "after"]) {
    for (let commit = 1; ; commit++) {
      await queue();
      const signal = await child([CHILD, String(commit), when]);
      await recover();
      if (signal === null) break;
      expect(signal).toBe("SIGKILL");
      died++;
    }
  }
  expect(died).toBeGreaterThan(20);
  // Between the mark and the result the outcome is unknown, whichever side of the typing the death was on.
  const { uncertain } = await account();
  expect(uncertain).toBeGreaterThanOrEqual(2);
  expect(uncertain).toBeLessThanOrEqual(5);
}, 240_000);

/** What a tmux does that kills whoever calls it: the words it waits for, and what it still runs of them. */
const STEPS = {
  "before the buffer is loaded": ["load-buffer", "nothing"],
  "after the buffer is loaded": ["load-buffer", "all"],
  "before the paste": ["paste-buffer", "nothing"],
  "after the paste, before Enter": ["paste-buffer", "first"],
  "after Enter": ["paste-buffer", "all"],
} as const;

async function killer(word: string, run: string): Promise<string> {
  const tmux = Bun.which("tmux")!;
  const script = `#!/bin/sh
hit=no
for word in "$@"; do [ "$word" = ${word} ] && hit=yes; done
[ $hit = no ] && exec ${tmux} "$@"
case ${run} in
  all) ${tmux} "$@" ;;
  first) set -- "$@" ";"; n=$#; i=0; end=no
    while [ $i -lt $n ]; do [ "$1 $2" = "; send-keys" ] && end=yes; [ $end = no ] && set -- "$@" "$1"; shift; i=$((i + 1)); done
    ${tmux} "$@" ;;
esac
kill -9 $PPID
`;
  const path = await w.file(`bin/tmux`, script);
  chmodSync(path, 0o755);
  return `${join(w.dir, "bin")}:${w.env.PATH}`;
}

describe("killed inside tmux", () => {
  for (const [step, [word, run]] of Object.entries(STEPS)) {
    test(step, async () => {
      const PATH = await killer(word, run);
      await queue();
      expect(await child([SRC, "dispatch", "--type", "nudge_worker"], { PATH })).toBe("SIGKILL");
      const began = word === "paste-buffer";
      expect(w.rows("select side_effect_started as started from command_attempts")).toEqual([{ started: began ? 1 : 0 }]);
      await recover();
      expect((await account()).uncertain).toBe(began ? 1 : 0);
      expect(w.rows("select state from commands where type = 'nudge_worker'")).toEqual([{ state: began ? "failed" : "succeeded" }]);
      expect(linesTyped().filter((line) => line.includes("push-1.")).length).toBe(step === "after Enter" || !began ? 1 : 0);
    });
  }
});

test("without attempts left a command that never began fails, and says so", async () => {
  const PATH = await killer("load-buffer", "nothing");
  await queue(1);
  expect(await child([SRC, "dispatch", "--type", "nudge_worker"], { PATH })).toBe("SIGKILL");
  await recover();
  const [command] = w.rows<{ state: string; error: string }>("select state, error from commands where type = 'nudge_worker'");
  expect(command).toMatchObject({ state: "failed" });
  expect(command!.error).toContain("before anything was sent");
  expect(w.rows("select state, side_effect_started from routed_notifications where signal_type = 'nudge_worker'")).toEqual([
    { state: "failed", side_effect_started: 0 },
  ]);
});

test("killed at random moments, again and again", async () => {
  const rounds = LONG ?? 25;
  for (let round = 0; round < rounds; round++) {
    await queue(1000);
    const watch = Bun.spawn([process.execPath, SRC, "dispatch", "--watch", "--limit", "100"], {
      env: w.env,
      cwd: w.work,
      stdout: "ignore",
      stderr: "ignore",
    });
    // The interesting moments begin when it has claimed something; how long after that it lives is left to chance.
    await until(
      "a claim",
      () =>
        w.rows("select 1 from telemetry_events where event_type = 'dispatch_command_claimed' limit 1 offset ?", round).length ||
        watch.exitCode !== null,
    );
    await Bun.sleep(Math.random() * 40);
    watch.kill("SIGKILL");
    await watch.exited;
    w.store().db.run("update commands set claim_expires_at = '2020-01-01T00:00:00Z' where state = 'attempted'");
    w.store().db.run(
      "update routed_notifications set claim_expires_at = '2020-01-01T00:00:00Z' where state = 'pending' and claim_expires_at is not null",
    );
  }
  await recover();
  await account();
}, 600_000);

const COMMANDS = LONG === null ? 500 : 2000;
test("eight at once deliver each command once", async () => {
  const store = w.store();
  const task = w.rows<{ id: string }>("select id from tasks")[0]!.id;
  tx(store, () => {
    for (let i = 0; i < COMMANDS; i++) createCommand(store, { type: "notify_manager", taskId: task, payload: { message: `m${i}` } });
  });
  const ends = await Promise.all(
    Array.from({ length: 8 }, async (_, i) => {
      const words = [process.execPath, SRC, "dispatch", "--limit", String(COMMANDS), "--dispatcher-id", `d${i}`];
      const one = Bun.spawn(words, { env: w.env, cwd: w.work, stdout: "ignore", stderr: "pipe" });
      const said = await new Response(one.stderr).text();
      return [await one.exited, said];
    }),
  );
  expect(ends).toEqual(Array(8).fill([0, ""]));
  expect(w.rows("select state, attempts, count(*) as n from commands group by 1, 2")).toEqual([
    { state: "succeeded", attempts: 1, n: COMMANDS },
  ]);
  expect(
    w.rows("select count(*) as n, count(distinct command_id) as distinct_ from routed_notifications where state = 'delivered'"),
  ).toEqual([{ n: COMMANDS, distinct_: COMMANDS }]);
  expect(w.rows("select count(*) as n from command_attempts")).toEqual([{ n: COMMANDS }]);
}, 120_000);
