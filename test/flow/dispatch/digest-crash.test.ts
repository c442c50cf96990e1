/** Dispatchers that are killed around each commit of a digest, with the real Codex as manager: all of it arrives once, or nobody can tell of all. */
import { expect, test } from "bun:test";
import { resolve } from "node:path";
import { CodexSuiteWorld } from "../../agent-suite/codex-world.ts";
import { Crowd } from "../../agent-suite/crowd.ts";
import { until } from "../../harness.ts";
import { LONG } from "../../long.ts";
import { stopWatching, watching } from "../../served-world.ts";

const CHILD = resolve(import.meta.dir, "crash-child.ts");
/** What a sending does before its commit is lost with it, and what it did before the one before is not: the latter is tried in long runs. */
const MOMENTS = LONG === null ? ["before"] : ["before", "after"];

/** Gives whether it died. */
async function diesAt(world: CodexSuiteWorld, commit: number, when: string): Promise<boolean> {
  const child = Bun.spawn([process.execPath, CHILD, String(commit), when, "digest"], {
    env: world.env,
    cwd: world.work,
    stdout: "ignore",
    stderr: "inherit",
  });
  await child.exited;
  return child.signalCode === "SIGKILL";
}

const OPEN =
  "select 1 from routed_notifications where state = 'pending' union all select 1 from commands where state in ('pending', 'attempted')";

async function killedAtEach(launch: "protocol" | "tmux"): Promise<string[]> {
  const world = new CodexSuiteWorld(launch);
  const crowd = new Crowd(world, 3);
  const ends: string[] = [];
  try {
    await crowd.start();
    for (const when of MOMENTS)
      for (let commit = when === "before" ? 2 : 1; ; commit++) {
        const last = world.rows<{ id: number }>("select coalesce(max(id), 0) as id from routed_notifications")[0]!.id;
        const note = `note ${when} ${commit}.`;
        await world.ok(["enqueue-notify-manager", "t1", "--message", note]);
        // What nobody could tell of before anything was sent is tried again.
        world.store().db.run("update commands set max_attempts = 3 where state = 'pending'");
        for (const worker of crowd.workers) worker.turn();
        const died = await diesAt(world, commit, when);
        const next = await watching(world, "next");
        await until(`an end, killed ${when} commit ${commit}`, () => world.rows(OPEN).length === 0, 60);
        await stopWatching(next);
        await world.idle(crowd.manager);
        const rows = world.rows<{ end: string }>(
          "select state || side_effect_started || side_effect_completed as end from routed_notifications where id > ?",
          last,
        );
        const states = new Set(rows.map(({ end }) => end));
        const marks = [note, ...crowd.workers.map(({ marks }) => marks.at(-1)!)];
        const times = marks.map((mark) => crowd.said().filter((text) => text.includes(mark)).length);
        // One fate: all told once and proven, or nobody can tell, of none of them.
        expect([when, commit, rows.length, states.size, new Set(times).size]).toEqual([when, commit, 4, 1, 1]);
        const end = `${[...states][0]} ${times[0]}`;
        expect(["delivered11 1", "failed10 0", "failed10 1"]).toContain(end);
        ends.push(end);
        if (!died) break;
      }
    expect(ends.length).toBeGreaterThan(MOMENTS.length * 4);
    expect(world.rows("select 1 from message_claims")).toEqual([]);
    return ends;
  } finally {
    await world.close();
  }
}

test("by its protocol nothing is lost and nothing comes twice", async () => {
  expect(new Set(await killedAtEach("protocol"))).toEqual(new Set(["delivered11 1"]));
}, 600_000);

if (LONG !== null)
  test("by its terminal what was being typed is unknown for all of it, and the rest arrives once", async () => {
    expect(new Set(await killedAtEach("tmux"))).toContain("delivered11 1");
  }, 900_000);
