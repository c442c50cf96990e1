/** doctor tells of living sessions that do not run what is installed now, a line each. */
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { agents } from "../../src/core/agent/agents.ts";
import { World } from "../harness.ts";
import { rollout, meta } from "../rollout.ts";

const world = new World();
afterAll(() => world.close());

const { to: installed } = agents.codex.tested;
const codex = Bun.which("codex", world.env)!;
const home = join(world.dir, "home");

/** Registers a session and puts on record that we started it so. */
async function started(name: string, at: number, facts: { version: string; program: string; home: string }): Promise<void> {
  const thread = `1111111${at}-1111-4111-8111-111111111111`;
  const { path } = await rollout(world, meta(thread), thread);
  await world.ok(["register-worker", "--name", name, "--pid", String(process.pid), "--codex-session", path]);
  world
    .store()
    .db.query(
      `update session_agents set version = ?, argv_json = json_array(?), home = ?, launch = 'tmux'
       where session_id = (select id from sessions where name = ?)`,
    )
    .run(facts.version, facts.program, facts.home, name);
}

test("version, program and home, of living sessions that we started", async () => {
  mkdirSync(home, { recursive: true });
  const own = world.env.CODEX_HOME!;
  mkdirSync(own, { recursive: true });
  await started("same", 1, { version: installed, program: codex, home: own });
  await started("older", 2, { version: "0.1.2", program: "/old/codex", home });
  await started("homeless", 3, { version: installed, program: codex, home: join(world.dir, "no-home") });
  await started("gone", 4, { version: "0.1.2", program: codex, home: own });
  await world.ok("deregister gone");
  const lines = async (env: Record<string, string> = {}): Promise<Record<string, string | null>> => {
    const { sessions } = (await world.run("doctor", { env })).json();
    return Object.fromEntries(sessions.map((each: { session: string; warning: string | null }) => [each.session, each.warning]));
  };
  const elsewhere = `its home folder is ${home}, here it is ${own}`;
  const missing = join(world.dir, "no-home");
  expect(await lines()).toEqual({
    same: null,
    older: `older: it was started with /old/codex, on PATH is ${codex} now; it was started as Codex 0.1.2, installed is ${installed} now; ${elsewhere}`,
    homeless: `homeless: its home folder ${missing} is gone`,
  });
  expect(await world.ok("doctor")).toMatchObject({ ok: true });
  rmSync(home, { recursive: true });
  expect((await lines({ PATH: "/nonexistent" })).older).toBe(`older: codex is not on PATH any more; its home folder ${home} is gone`);
});
