/** What is taken by being shown counts as read once it is written, never before: output that goes nowhere takes nothing. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { BINARY, until, World } from "../harness.ts";
import { boundPair } from "../rollout.ts";

let w: World;
beforeEach(async () => {
  w = new World();
  w.realTime = true;
  await boundPair(w);
  await w.ok(["enqueue-notify-manager", "t1", "--message", "read me"]);
  await w.ok(["enqueue-nudge-worker", "t1", "--message", "read me"]);
  await w.ok("dispatch");
});
afterEach(() => w.close());

const COMMANDS = [
  "cycle t1",
  "manager-inbox t1 --consume-next",
  "manager-inbox t1 --consume-next --json",
  "worker-inbox t1 --consume-next --wait",
  "session-inbox w1 --consume-next --json",
];

const sh = (script: string, line: string) =>
  Bun.spawn(["sh", "-c", script, BINARY, ...line.split(" ")], { env: w.env, cwd: w.work, stdin: "ignore", stderr: "pipe" });

/** The script's end, with what it said. */
async function ended(script: string, line: string): Promise<{ exit: number; stderr: string }> {
  const child = sh(script, line);
  return { stderr: await new Response(child.stderr).text(), exit: await child.exited };
}

/** The reader has opened the pipe and gone before anything is written. */
const CLOSED = 'mkfifo pipe; true < pipe & exec 3> pipe; wait; exec "$0" "$@" >&3';
const FULL = 'exec "$0" "$@" > /dev/full';

const read = () => w.rows("select 1 from routed_notifications where consumed_at is not null").length;
const claims = () => w.rows("select 1 from message_claims").length;

describe.each(COMMANDS)("`%s`", (line) => {
  const shown = async () => {
    // Once it is shown nothing more comes, however long one waits.
    const soon = line.includes("--wait") ? ["--timeout", "1"] : [];
    const words = line.includes("inbox") ? [...new Set([...line.split(" "), "--json", ...soon])] : line;
    const { consumed, consumed_messages } = await w.ok(words);
    return (consumed_messages ?? [consumed]).map((item: { payload?: { message: string } } | null) => item?.payload?.message ?? null);
  };

  test("into a pipe that nobody reads takes nothing, and is no error", async () => {
    expect(await ended(CLOSED, line)).toEqual({ exit: 0, stderr: "" });
    expect([read(), claims()]).toEqual([0, 0]);
    expect(await shown()).toEqual(["read me"]);
    expect([read(), claims()]).toEqual([1, 0]);
  });

  test.skipIf(process.platform === "darwin")("into a full device takes nothing, and says so (macOS has no /dev/full)", async () => {
    const done = await ended(FULL, line);
    expect([done.exit, read(), claims()]).toEqual([1, 0, 0]);
    expect(done.stderr).toContain("no space left on device");
    expect(await shown()).toEqual(["read me"]);
    expect(await shown()).toEqual(line.startsWith("cycle") ? [] : [null]);
  });
});

test("a cycle that nobody could be told is on record as failed, not as begun for ever", async () => {
  await ended(CLOSED, "cycle t1");
  expect(w.rows("select state, error from manager_cycles")).toEqual([{ state: "failed", error: "nobody reads the output any more" }]);
});

test("who is killed while it writes has read nothing; while it lives nobody else is shown the same", async () => {
  await w.ok(["enqueue-nudge-worker", "t1", "--message", "x".repeat(200_000)]);
  await w.ok("dispatch");
  await w.ok("worker-inbox t1 --consume-next");
  // It is its own reader, and never reads: more than a pipe holds keeps it writing.
  const writer = sh('mkfifo pipe; exec 3<> pipe; exec "$0" "$@" >&3', "worker-inbox t1 --consume-next --json");
  try {
    await until("the claim", claims);
    const other = await w.ok("worker-inbox t1 --consume-next --json");
    expect([other.consumed, other.items.length]).toEqual([null, 1]);
    expect((await w.ok("worker-inbox t1 --consume-next --wait --timeout 0 --json")).wait.timed_out).toBe(true);
  } finally {
    writer.kill("SIGKILL");
    await writer.exited;
  }
  expect((await w.ok("worker-inbox t1 --consume-next --json")).consumed.payload.message).toHaveLength(200_000);
  expect([read(), claims()]).toEqual([2, 0]);
});
