/** A night that nobody watches, with the real program: what is asked, limited, ended and spent is told, and goes on, in that order on record. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { strike, until } from "../harness.ts";
import { tmux } from "../panes.ts";
import { stopWatching, watching } from "../served-world.ts";
import type { AgentWorld } from "./world.ts";

const GO_ON = "The limit is over. Go on where you stopped.";

/** @param make a new world; it is closed afterwards */
export function nightSuite(make: () => AgentWorld & { close(): Promise<void> }): void {
  let world: ReturnType<typeof make>;
  let watch: Bun.Subprocess;
  const thread: Record<string, string> = {};
  const notices = () => {
    const path = join(world.dir, "notices");
    return existsSync(path)
      ? readFileSync(path, "utf8")
          .split("\n")
          .filter(Boolean)
          .map((line) => JSON.parse(line))
      : [];
  };
  const items = async (kind: string) => (await world.ok("attention --json")).items.filter((item: any) => item.kind === kind);
  const wait = async (words: string) => (await world.run(`wait ${words} --json`)).json();
  const heard = (name: string, words: string) => world.userTexts(thread[name]!).filter((text) => text.includes(words)).length;
  const start = (role: string, name: string, ...more: string[]) =>
    world.ok([`start-${role}`, "--name", name, "--cwd", world.project, "--timeout-seconds", "60", ...more]);
  const dispatching = () => watching(world, "night", "--resume-limits", "--resume-after", "0");

  beforeAll(async () => {
    world = make();
    world.failFrom(Math.ceil(Date.now() / 1000) + 3600);
    const program = await world.file(
      "bin/told",
      `#!/bin/sh\ntr -d '\\n' >> ${join(world.dir, "notices")}\necho >> ${join(world.dir, "notices")}\n`,
    );
    chmodSync(program, 0o755);
    thread.w1 = (await start("worker", "w1", ...world.asking)).codex_session_id;
    thread.m1 = (await start("manager", "m1")).codex_session_id;
    await start("worker", "w2");
    await world.ok("stop w2 --json");
    await world.ok("tasks --create t1 --goal g");
    await world.ok("bind --task t1 --worker w1 --manager m1");
    await world.ok(["notify", "add", "--on", "question,limit,failed", "--json", "--", program]);
    watch = await dispatching();
    for (const name of ["w1", "m1"]) await world.idle(thread[name]!);
  }, 180_000);
  afterAll(async () => {
    await stopWatching(watch);
    await world.close();
  });

  test("a question wakes who waits, is told once by a program, and is answered by its id", async () => {
    await world.ok(["session-nudge", "w1", "ask touch allowed-at-night"]);
    const told = await wait("t1 --until question,failed --timeout 60");
    expect(told).toMatchObject({ reason: "question", timed_out: false });
    const [item] = await items("question");
    expect(item).toMatchObject({ session: "w1", task: "t1", weight: "now" });
    expect(item.command).toContain("touch allowed-at-night");
    await until("the notice", () => notices().length > 0);
    // The id is the one that it is answered by; the look of another does not say it again.
    await world.ok(["answer", item.id, "yes", "--json"]);
    await until("the command", () => existsSync(join(world.project, "allowed-at-night")));
    await world.idle(thread.w1!);
    expect(await items("question")).toEqual([]);
    expect(notices().map(({ id, kind, session }) => ({ id, kind, session }))).toEqual([{ id: item.id, kind: "question", session: "w1" }]);
    // What was over when it was waited for again does not count, and the turn that ended since does.
    expect(await wait(`t1 --until question,idle --since ${told.cursor} --timeout 30`)).toMatchObject({ reason: "idle" });
  }, 180_000);

  test("a limit is told with its end, parks what is queued, and the turn that died of it is gone on with once", async () => {
    const resets = Math.ceil(Date.now() / 1000) + 15;
    world.failFrom(resets);
    await world.ok(["session-nudge", "w1", "fail limit"]);
    const told = await wait("w1 --until limit,idle --timeout 60");
    expect(told).toMatchObject({ reason: "limit", target: "w1", task: "t1" });
    expect((await items("limit"))[0]).toMatchObject({ resets_at: new Date(resets * 1000).toISOString() });
    await until("its words after the reset", () => heard("w1", GO_ON) > 0, 90);
    await world.idle(thread.w1!);
    expect(heard("w1", GO_ON)).toBe(1);
    expect(await items("limit")).toEqual([]);
    expect(notices().map(({ kind }) => kind)).toEqual(["question", "limit"]);
  }, 180_000);

  test("while nothing happens the manager takes no turn, and who waits is told so", async () => {
    // What the worker's turns had to tell is told, and the manager has heard it out.
    expect(await wait("t1 --until idle --timeout 60")).toMatchObject({ reason: "idle" });
    await until("the end of what Dispatch has to say", async () => {
      const { pending, claimed } = await world.ok("dispatch status --json");
      return pending.unrouted_turns === 0 && pending.commands === 0 && claimed.length === 0;
    });
    await world.idle(thread.m1!);
    expect(await wait("m1 --until idle --timeout 60")).toMatchObject({ reason: "idle" });
    const { cursor } = await wait("t1 m1 --until idle,question,failed,limit --timeout 60");
    const before = world.userTexts(thread.m1!).length;
    const quiet = await world.run(`wait t1 m1 --until idle,question,failed,limit --since ${cursor} --timeout 5 --json`);
    expect([quiet.exit, quiet.json()]).toMatchObject([3, { reason: null, timed_out: true }]);
    expect(world.userTexts(thread.m1!).length).toBe(before);
  }, 180_000);

  test("after the end of tmux and of Dispatch both come back on their own conversations, and who was stopped does not", async () => {
    const bound = () => world.rows("select id, state from bindings");
    const was = [bound(), world.rows<{ pid: number }>("select pid from sessions where state = 'active'").map(({ pid }) => pid)] as const;
    watch.kill("SIGKILL");
    await watch.exited;
    tmux(world, "kill-server");
    strike(...was[1]);
    await until("their end", async () => (await world.ok("reconcile")).dead_pid_sessions.length === 2);
    const told = await world.ok("revive --json");
    expect(told.failed).toEqual([]);
    expect(told.revived.map((each: any) => each.session ?? each).sort()).toEqual(["m1", "w1"]);
    expect(world.rows("select name, codex_session_id as id from sessions where state = 'active' order by name")).toEqual(
      ["m1", "w1"].map((name) => ({ name, id: thread[name]! })),
    );
    expect(bound()).toEqual(was[0]);
    // The Dispatch that came with them knows nothing of limits: this one does.
    await world.ok("dispatch stop --json");
    watch = await dispatching();
    expect(await world.ok(["session-nudge", "w1", "are you there"])).toMatchObject({ proof: "seen" });
    await world.idle(thread.w1!);
    expect(heard("w1", "are you there")).toBe(1);
  }, 180_000);

  test("a spent budget parks what is for the worker until it is cleared, and then it arrives", async () => {
    await world.ok("budget t1 --tokens 1");
    await world.ok(["enqueue-nudge-worker", "t1", "--message", "beyond the budget"]);
    await until("the item", async () => (await items("budget")).length > 0);
    await until("its parking", async () => JSON.stringify(await world.ok("cycle t1")).includes('"parked":1'));
    expect(heard("w1", "beyond the budget")).toBe(0);
    await world.ok("budget t1 --clear");
    await until("the message", () => heard("w1", "beyond the budget") === 1, 60);
    await world.idle(thread.w1!);
  }, 180_000);

  test("the audit tells the night in order", async () => {
    const { events } = await world.ok("audit t1 --json");
    const order = ["agent_asked", "agent_ask_ended", "limit_resumed", "session_revived", "budget_set", "message_parked", "budget_cleared"];
    const types = (events as { type: string }[]).map(({ type }) => type).filter((type) => order.includes(type));
    // Both were revived, and a message may be parked for either of the two reasons.
    expect(types.filter((type, at) => types.indexOf(type) === at)).toEqual(order);
    expect(types.filter((type) => type === "session_revived")).toHaveLength(2);
  }, 60_000);
}
