/** A dispatcher that is killed at any commit while it goes on with a turn that died of a limit: never twice, and what nobody can tell is unknown. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { resolve } from "node:path";
import { UnaskedWorld } from "../../agent-suite/codex-world.ts";
import { Limits } from "../../agent-suite/limits.ts";

const CHILD = resolve(import.meta.dir, "crash-child.ts");
const world = new UnaskedWorld();
const at = new Limits(world);
beforeAll(() => at.start(), 120_000);
afterAll(() => world.close());

/** Gives whether it died. */
async function diesAt(commit: number, when: string): Promise<boolean> {
  const child = Bun.spawn([process.execPath, CHILD, String(commit), when, String(world.ahead)], {
    env: world.env,
    cwd: world.work,
    stdout: "ignore",
    stderr: "inherit",
  });
  await child.exited;
  return child.signalCode === "SIGKILL";
}

interface Claimed {
  readonly state: string;
  readonly delivery: string | null;
}

test("killed before and after each of its commits, from its claim on", async () => {
  const ends: string[] = [];
  for (const when of ["before", "after"]) {
    for (let commit = when === "before" ? 2 : 1; ; commit++) {
      const before = at.told();
      const resets = at.inAnHour();
      await at.dies(resets);
      at.jumpTo(resets);
      const died = await diesAt(commit, when);
      await at.resumed();
      await world.idle(at.worker);
      const said = at.told() - before;
      expect(await at.resumed()).toEqual([]);
      expect(at.told() - before).toBe(said);
      const [row] = world.rows<Claimed>(
        `select r.state, d.state as delivery from limit_resumes r left join deliveries d on d.id = r.delivery_id order by r.rowid desc
          limit 1`,
      );
      // Said once and proven, also by the next one where nothing had begun; or unknown: then it was said once, or not at all.
      const { state, delivery } = row!;
      if (state === "said") expect([said, delivery]).toEqual([1, "delivered"]);
      else expect(["unknown 0 unknown", "unknown 1 delivered"]).toContain(`${state} ${said} ${delivery}`);
      ends.push(`${row!.state} ${said}`);
      if (!died) break;
    }
  }
  expect(ends).toContain("unknown 0");
  expect(ends).toContain("said 1");
}, 600_000);
