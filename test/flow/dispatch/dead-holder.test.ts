/** Watches that die while they hold something: what our record of claims proves is taken up at once, whatever the clocks say. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { until, World } from "../../harness.ts";
import { writingPane } from "../../panes.ts";
import { boundPair, event, type Pair } from "../../rollout.ts";

const SRC = resolve(import.meta.dir, "../../../src/main.ts");
let w: World;
let pair: Pair;
let typed: string;
beforeEach(async () => {
  w = new World();
  w.realTime = true;
  pair = await boundPair(w);
  typed = await writingPane(w);
});
afterEach(() => w.close());

const nudge = (message: string) => w.ok(["enqueue-nudge-worker", "t1", "--message", message]);
const toPane = (name: string) => w.store().db.query("update sessions set tmux_session = 'pane' where name = ?").run(name);
const state = () => w.rows("select state, attempts from commands");

/** A watch whose tmux kills it at this word, before or after it did it. */
async function diesAt(word: string, does: boolean): Promise<void> {
  const tmux = Bun.which("tmux")!;
  const script = `#!/bin/sh\nfor word in "$@"; do if [ "$word" = ${word} ]; then ${does ? `${tmux} "$@"; ` : ""}kill -9 $PPID; exit 1; fi; done\nexec ${tmux} "$@"\n`;
  chmodSync(await w.file("bin/tmux", script), 0o755);
  const watch = Bun.spawn([process.execPath, SRC, "dispatch", "--watch"], {
    env: { ...w.env, PATH: `${join(w.dir, "bin")}:${w.env.PATH}` },
    cwd: w.work,
    stdout: "ignore",
    stderr: "ignore",
  });
  await watch.exited;
  expect(watch.signalCode).toBe("SIGKILL");
}

describe("before it began", () => {
  test("the command is pending again, the attempt does not count, and it arrives once", async () => {
    toPane("w1");
    await nudge("once only.");
    for (let death = 0; death < 3; death++) await diesAt("load-buffer", death === 1);
    expect(state()).toEqual([{ state: "attempted", attempts: 1 }]);
    const { processed } = await w.ok("dispatch --json");
    expect(processed).toMatchObject([{ state: "requeued" }, { state: "delivered" }]);
    expect(state()).toEqual([{ state: "succeeded", attempts: 1 }]);
    expect(w.rows("select state from command_attempts order by id")).toEqual([
      ...Array(3).fill({ state: "abandoned" }),
      { state: "succeeded" },
    ]);
    await until("the text", () => readFileSync(typed, "utf8") === "once only.\n");
    expect(w.rows("select 1 from message_claims")).toEqual([]);
  });

  test("a claim made by a clock that was ahead is over with its holder", async () => {
    toPane("w1");
    await nudge("from the future.");
    await diesAt("load-buffer", false);
    w.store().db.run("update commands set claim_expires_at = '2999-01-01T00:00:00.000Z' where state = 'attempted'");
    expect((await w.ok("dispatch --json")).processed).toMatchObject([{ state: "requeued" }, { state: "delivered" }]);
  });

  test("the end of a turn, too", async () => {
    toPane("m1");
    pair.worker.append(event({ type: "task_complete", turn_id: "t" }));
    await diesAt("load-buffer", false);
    w.store().db.run("update routed_notifications set claim_expires_at = '2999-01-01T00:00:00.000Z'");
    expect((await w.ok("dispatch --json")).processed).toMatchObject([{ state: "delivered", recovered: true }]);
  });

  test.skipIf(process.platform !== "linux")("on Linux: so is one made before the machine was started anew", async () => {
    toPane("w1");
    await nudge("after the power cut.");
    await diesAt("load-buffer", false);
    const { db } = w.store();
    // What it left, had the machine gone down with it; its pid is somebody's now.
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    db.run(
      `update message_claims set world = replace(world, '${boot}', '11111111-2222-3333-4444-555555555555'), pid = ${process.pid}, born = 'x'`,
    );
    db.run("update commands set claim_expires_at = '2999-01-01T00:00:00.000Z' where state = 'attempted'");
    expect((await w.ok("dispatch --json")).processed).toMatchObject([{ state: "requeued" }, { state: "delivered" }]);
    expect(state()).toEqual([{ state: "succeeded", attempts: 1 }]);
  });

  test("the holder of a claim by its pid alone, on another host, or without a record: only time tells", async () => {
    toPane("w1");
    await nudge("held.");
    await diesAt("load-buffer", false);
    const { db } = w.store();
    for (const change of ["world = 'elsewhere'", "claimed_at = '2020-01-01T00:00:00.000Z'", "message = 'another'"]) {
      db.run("begin");
      db.run(`update message_claims set ${change}`);
      db.run("commit");
      expect([change, (await w.ok("dispatch --json")).processed]).toEqual([change, []]);
    }
    expect(state()).toEqual([{ state: "attempted", attempts: 1 }]);
    db.run("update commands set claim_expires_at = '2020-01-01T00:00:00.000Z'");
    expect((await w.ok("dispatch --json")).processed).toMatchObject([{ state: "failed", side_effect_started: false }]);
  });
});

test("after it began nothing is sent again, and it is uncertain at once", async () => {
  toPane("w1");
  await nudge("perhaps.");
  await diesAt("paste-buffer", false);
  expect((await w.ok("dispatch --json")).processed).toMatchObject([{ state: "failed", side_effect_started: true }]);
  expect(w.rows("select state from deliveries")).toEqual([{ state: "unknown" }]);
  expect((await w.ok("dispatch status --json")).uncertain.count).toBe(1);
  expect(readFileSync(typed, "utf8")).toBe("");
});

test("a completion that could not be sent keeps its reason while it is pending", async () => {
  w.store().db.run("update sessions set tmux_session = 'gone-tmux' where name = 'm1'");
  pair.worker.append(event({ type: "task_complete", turn_id: "t" }));
  const { processed } = await w.ok("dispatch --ingest --json");
  expect(processed).toMatchObject([{ state: "failed", signal_type: "worker_task_complete" }]);
  expect(w.rows("select state, error from routed_notifications")).toEqual([{ state: "pending", error: processed[0].error }]);
  toPane("m1");
  await w.ok("dispatch --json");
  expect(w.rows("select state, error from routed_notifications")).toEqual([{ state: "delivered", error: null }]);
});

describe("turns that had ended before the binding", () => {
  const turns = (from: number, count: number) => {
    for (let n = from; n < from + count; n++) pair.worker.append(event({ type: "task_complete", turn_id: `turn-${n}` }, n));
  };
  const waiting = async () => (await w.ok("manager-inbox t1 --limit 100 --json")).items;

  test("with --ingest the newest is told of, with how many there were before it", async () => {
    turns(1, 4);
    expect((await w.ok("dispatch --ingest --json")).processed).toHaveLength(1);
    const [item, ...others] = await waiting();
    expect(others).toEqual([]);
    expect(item.payload).toMatchObject({ earlier_turns: 3, worker_receipt: { turn_id: "turn-4" } });
    expect(item.payload.message).toContain("\n3 earlier turns of w1 had ended before you were bound to it");
    expect((await w.ok("dispatch --ingest --json")).processed).toEqual([]);
    expect((await w.ok("dispatch --json")).processed).toEqual([]);
  });

  test("under --watch, too; the turns that end later are told one by one", async () => {
    turns(1, 3);
    await w.ok("dispatch --watch --watch-iterations 1 --json");
    for (const n of [10, 11])
      pair.worker.append(
        event({ type: "task_complete", turn_id: `turn-${n}` }).replace("2020-01-01T00:00:01.000Z", `2999-01-01T00:00:${n}.000Z`),
      );
    await w.ok("dispatch --watch --watch-iterations 1 --json");
    expect(
      (await waiting()).map((item: { payload: { worker_receipt: { turn_id: string } } }) => item.payload.worker_receipt.turn_id),
    ).toEqual(["turn-3", "turn-10", "turn-11"]);
  });

  test("a plain pass routes every stored turn, and one alone has no line about others", async () => {
    turns(1, 3);
    await w.ok("ingest w1");
    expect((await w.ok("dispatch --json")).processed).toHaveLength(3);
    expect((await waiting())[0].payload.message).not.toContain("earlier");
  });

  test("a dry run plans what would be told", async () => {
    turns(1, 3);
    await w.ok("ingest w1");
    expect((await w.ok("dispatch --dry-run --watch --watch-iterations 1 --json")).processed).toHaveLength(1);
    expect((await w.ok("dispatch --dry-run --json")).processed).toHaveLength(3);
  });
});
