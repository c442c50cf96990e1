/** A server that has hung is told from one that is gone: nothing is typed into what only passes it on, and nothing is said twice. */
import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { fingerprint } from "../../../src/core/delivery/delivery.ts";
import { sha256 } from "../../../src/system/files/digest.ts";
import { startedAt } from "../../../src/system/processes/processes.ts";
import { until, World } from "../../harness.ts";
import { CodexSuiteWorld } from "../../agent-suite/codex-world.ts";
import { boundTask, running, servedWorker, socketsOf, stopWatching, watching } from "../../served-world.ts";
import { type FakeServer, servedByFake } from "../served-fake.ts";

describe("a real server", () => {
  const world = new CodexSuiteWorld();
  const stopped: number[] = [];
  const signal = (name: "SIGSTOP" | "SIGCONT") => stopped.forEach((pid) => process.kill(pid, name));
  afterAll(async () => {
    signal("SIGCONT");
    await world.close();
  });
  const newest = () => world.rows("select state, side_effect_started as begun, error from deliveries order by rowid desc limit 1")[0];

  test("that is stopped: nothing is sent and no key pressed, each in one sentence; and it takes messages when it runs again", async () => {
    const thread = await servedWorker(world, "w1");
    stopped.push(...(await running(world, "app-server")));
    expect(stopped.length).toBeGreaterThan(0);
    signal("SIGSTOP");
    const said = await world.run("session-nudge w1 never");
    expect([said.exit, said.stdout]).toEqual([1, ""]);
    const error = 'the server of "w1" does not answer: nothing was sent';
    expect(said.stderr).toContain(`${error}\nhint: look at it with conveyor open w1; conveyor stop w1 ends it`);
    expect(newest()).toEqual({ state: "failed", begun: 0, error });
    const interrupted = await world.run("session-interrupt w1 --followup never");
    expect([interrupted.exit, interrupted.stdout]).toEqual([1, ""]);
    expect(interrupted.stderr).toContain('the server of "w1" does not answer: its turn was not interrupted');
    // What Dispatch has for it costs no attempt, and is sent when it answers again.
    await boundTask(world);
    await world.ok("enqueue-nudge-worker t1 --message by-dispatch --json");
    const passed = async () => (await world.ok("dispatch --once --json")).processed;
    const queued = () => world.rows("select state, attempts from commands");
    expect(await passed()).toMatchObject([{ state: "parked", error_type: "ServerHung", side_effect_started: false }]);
    expect(queued()).toEqual([{ state: "pending", attempts: 0 }]);
    signal("SIGCONT");
    expect(await passed()).toMatchObject([{ state: "delivered", proof: "seen" }]);
    expect(queued()).toEqual([{ state: "succeeded", attempts: 1 }]);
    expect(await world.ok("session-nudge w1 again")).toMatchObject({ transport: "codex_protocol", proof: "seen" });
    await world.idle(thread);
    expect(world.userTexts(thread)).not.toContain("never");
  }, 120_000);

  test("that is stopped when the sender of a text has died: it is said, once, when it runs again, though nothing more is told of it", async () => {
    const before = await world.ok("session-nudge w1 before");
    const [session] = world.rows<{ id: string; thread: string }>("select id, codex_session_id as thread from sessions where name = 'w1'");
    await world.idle(session!.thread);
    const dead = Bun.spawn(["true"]);
    await dead.exited;
    const text = "left by who died";
    const { digest, lines } = fingerprint(text, sha256);
    const { db } = world.store();
    const columns = world.rows<{ name: string }>("select name from pragma_table_info('deliveries')").map(({ name }) => name);
    const changed: Record<string, string | number | null> = {
      id: "delivery-left",
      client_id: crypto.randomUUID(),
      state: "sending",
      proof: "pending",
      text_digest: digest,
      text_lines: lines,
      proof_offset: null,
      proof_line: null,
      side_effect_completed: 0,
      sender_pid: dead.pid,
      finished_at: null,
    };
    const leave = (): void => {
      db.query(
        `insert into deliveries (${columns.join(", ")}) select ${columns.map((name) => (name in changed ? `$${name}` : name)).join(", ")}
         from deliveries where id = $like`,
      ).run({ ...Object.fromEntries(Object.entries(changed).map(([name, value]) => [`$${name}`, value])), $like: before.delivery_id });
      db.query("insert into texts_under_way (delivery_id, text) values ('delivery-left', ?)").run(text);
    };
    const watch = await watching(world, "hung");
    // Its server tells it of this turn, so that it listens.
    await world.ok("session-nudge w1 heard");
    await world.idle(session!.thread);
    try {
      signal("SIGSTOP");
      leave();
      await until("a look that learnt nothing", () => world.rows("select 1 from texts_under_way where lost = 1").length > 0, 60);
      signal("SIGCONT");
      await until(
        "it to be delivered",
        () => world.rows("select 1 from deliveries where id = 'delivery-left' and state = 'delivered'").length > 0,
        60,
      );
    } finally {
      signal("SIGCONT");
      await stopWatching(watch);
    }
    await world.idle(session!.thread);
    expect(world.userTexts(session!.thread).filter((each) => each === text)).toHaveLength(1);
  }, 180_000);

  test("whose socket was taken away is spoken to by its terminal after a few looks", async () => {
    // One that was started lately is waited for.
    await until("its age", async () => Date.now() - (await startedAt(stopped[0]!, world.env))! > 8500);
    for (const path of socketsOf(world, "w1")) rmSync(path);
    const typed = await world.ok("session-nudge w1 typed");
    expect(typed).toMatchObject({ transport: "tmux", proof: "seen" });
    const [step] = world.rows<{ d: string }>(
      "select detail_json as d from delivery_steps where delivery_id = ? and step = 'server'",
      typed.delivery_id,
    );
    // It will not be there soon.
    expect(JSON.parse(step!.d)).toMatchObject({ found: "none", looks: 10, why: expect.stringContaining("its socket is not there") });
  }, 120_000);
});

describe("a server that hangs in the middle", () => {
  let world: World;
  let server: FakeServer;
  beforeEach(async () => {
    world = new World();
    server = await servedByFake(world, { asks: false });
    world.store().db.run("update sessions set tmux_session = 'gone'");
  });
  afterEach(async () => {
    await server.stop();
    world.close();
  });
  const turns = () => server.asked.filter((method) => method === "turn/start").length;

  test("of what it was told: not yet, told why, and not told again while it is silent", async () => {
    server.hangs = (method) => method === "turn/start";
    await world.run("session-nudge w1 once");
    expect(world.rows("select state, proof, side_effect_started as begun, error from deliveries")).toEqual([
      {
        state: "typed",
        proof: "pending",
        begun: 1,
        error: 'the server of "w1" does not answer, and nothing shows yet whether the message arrived',
      },
    ]);
    await world.run("dispatch --ingest");
    expect(turns()).toBe(1);
  });

  test("of an interrupt: nobody knows", async () => {
    server.turn = "inProgress";
    server.hangs = (method) => method === "turn/interrupt";
    const done = await world.run("session-interrupt w1");
    expect([done.exit, done.stdout]).toEqual([1, ""]);
    expect(done.stderr).toContain('the server of "w1" does not answer: whether its turn was interrupted is not known\nhint: ');
  });
});
