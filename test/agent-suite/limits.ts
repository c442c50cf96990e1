/** What every agent must do at a usage limit, run against the real program: parked, gone on with once, and never over a person's head. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { until } from "../harness.ts";
import { MAIN } from "../served-world.ts";
import { type AgentWorld, Terminal } from "./world.ts";

const WORDS = "The limit is over. Go on where you stopped.";
const RESUME = "--resume-limits --resume-after 0";

/** A bound pair in a world whose limits end when a test says. */
export class Limits {
  readonly terminal: Terminal;
  worker = "";
  constructor(readonly world: AgentWorld) {
    this.terminal = new Terminal(world, "w1");
  }

  async start(): Promise<void> {
    const { world } = this;
    world.failFrom(Math.ceil(Date.now() / 1000) + 3600);
    this.worker = (await world.ok(["start-worker", "--name", "w1", "--cwd", world.project, "--timeout-seconds", "40"])).codex_session_id;
    await world.ok(["start-manager", "--name", "m1", "--cwd", world.project, "--timeout-seconds", "40"]);
    await world.ok("tasks --create t1 --goal g");
    await world.ok("bind --task t1 --worker w1 --manager m1");
    await this.terminal.page("idle");
    await world.idle(this.worker);
  }

  told = (words = WORDS): number => this.world.userTexts(this.worker).filter((text) => text.includes(words)).length;

  nudge = async (words: string): Promise<string> =>
    (await this.world.ok(["enqueue-nudge-worker", "t1", "--message", words, "--json"])).command_id;

  once = async (flags = ""): Promise<Record<string, any>[]> =>
    (await this.world.ok(`dispatch --once --ingest --limit 100 --json ${flags}`)).processed;

  /** What a pass went on with. */
  resumed = async (): Promise<Record<string, any>[]> =>
    (await this.once(RESUME)).filter(({ signal_type }) => signal_type === "limit_resume");

  command = (id: string) => this.world.rows("select state, attempts, available_at from commands where id = ?", id)[0]!;

  /** A turn of the worker dies of a limit that is full again at this time. */
  async dies(resetsAt: number): Promise<void> {
    this.world.failFrom(resetsAt / 1000);
    await this.world.ok(["session-nudge", "w1", "fail limit"]);
    await this.world.idle(this.worker);
    await until("the failed turn on record", async () => (await this.world.ok("cycle t1")).turn === "failed");
  }

  inAnHour = (): number => (Math.ceil((Date.now() + this.world.ahead) / 1000) + 3600) * 1000;

  /** To a moment after the reset. */
  jumpTo = (ms: number): void => void (this.world.ahead = ms - Date.now() + 1000);
}

/** @param make a new world; it is closed afterwards */
export function limitSuite(make: () => AgentWorld): void {
  const world = make();
  const at = new Limits(world);
  const { terminal, told, nudge, once, resumed, command, inAnHour, jumpTo } = at;
  const dies = (resetsAt: number) => at.dies(resetsAt);
  beforeAll(() => at.start(), 120_000);
  afterAll(() => world.close());

  test("what is queued for it waits until the reset, uncounted, and then arrives once", async () => {
    const resets = inAnHour();
    await dies(resets);
    const id = await nudge("after the limit");
    expect(await once()).toContainEqual(expect.objectContaining({ command_id: id, state: "parked", reason: "limit" }));
    expect(command(id)).toEqual({ state: "pending", attempts: 0, available_at: new Date(resets).toISOString() });
    expect((await world.ok("cycle t1")).limits.worker).toMatchObject({
      limited: true,
      resets_at: new Date(resets).toISOString(),
      parked: 1,
    });
    expect(told("after the limit")).toBe(0);
    jumpTo(resets);
    expect(await once()).toContainEqual(expect.objectContaining({ command_id: id, state: "delivered", proof: "seen" }));
    await world.idle(at.worker);
    // Its turn is the newest now: nothing died that would have to be gone on with.
    expect(await resumed()).toEqual([]);
    expect([told("after the limit"), told()]).toEqual([1, 0]);
  }, 120_000);

  test("the turn that died is gone on with once, with proof, as no iteration and in nobody's inbox", async () => {
    const before = told();
    const resets = inAnHour();
    await dies(resets);
    expect(await resumed()).toEqual([]);
    jumpTo(resets);
    expect(await resumed()).toMatchObject([{ state: "delivered", proof: "seen", target_session: "w1", task: "t1" }]);
    await world.idle(at.worker);
    expect(await resumed()).toEqual([]);
    expect(told()).toBe(before + 1);
    expect(world.rows("select origin, state, proof from deliveries where origin = 'resume-limits'")).toEqual([
      { origin: "resume-limits", state: "delivered", proof: "seen" },
    ]);
    expect(JSON.stringify(await world.ok("worker-inbox t1 --json"))).not.toContain(WORDS);
  }, 120_000);

  test("a person who went on first is left alone", async () => {
    const before = told();
    const resets = inAnHour();
    await dies(resets);
    await terminal.page("idle");
    await terminal.draft("I do it myself");
    await terminal.keys("Enter");
    await until("the person's words", () => told("I do it myself") === 1);
    await world.idle(at.worker);
    jumpTo(resets);
    expect(await resumed()).toEqual([]);
    expect(told()).toBe(before);
  }, 120_000);

  test("nothing is said over a draft or a page; once it is gone, it is", async () => {
    const before = told();
    const resets = inAnHour();
    await dies(resets);
    await terminal.page("idle");
    await terminal.draft("half a thought");
    jumpTo(resets);
    expect(await resumed()).toMatchObject([{ state: "parked", error_type: "Disturbed" }]);
    expect(await terminal.text()).toContain("half a thought");
    await terminal.keys("C-u");
    await terminal.page("idle");
    await terminal.keys("-l", "--", "/model");
    await until("the command", async () => (await terminal.screen()).composer?.text === "/model");
    await terminal.keys("Enter");
    await until("a page", async () => (await terminal.screen()).page !== "idle" && (await terminal.screen()).composer === null);
    const page = await terminal.text();
    expect(await resumed()).toMatchObject([{ state: "parked", error_type: "Disturbed" }]);
    expect(await terminal.text()).toBe(page);
    expect(told()).toBe(before);
    await terminal.keys("Escape");
    await terminal.page("idle");
    expect(await resumed()).toMatchObject([{ state: "delivered", proof: "seen" }]);
    expect(told()).toBe(before + 1);
    await world.idle(at.worker);
  }, 120_000);

  test("a task that is over its budget is not gone on with until that is raised", async () => {
    const before = told();
    const resets = inAnHour();
    await dies(resets);
    await world.ok("budget t1 --tokens 1");
    jumpTo(resets);
    expect(await resumed()).toEqual([]);
    await world.ok("budget t1 --tokens 1000000000");
    expect(await resumed()).toMatchObject([{ state: "delivered" }]);
    expect(told()).toBe(before + 1);
    await world.idle(at.worker);
  }, 120_000);

  test("a watch wakes when the limit is over; of two, one goes on with it", async () => {
    const before = told();
    world.ahead = 0;
    // Earlier claims of this account were made in a time that has not come yet.
    world.store().db.run("delete from limit_resumes");
    const watches = ["one", "two"].map((id) =>
      Bun.spawn([...MAIN, "dispatch", "--watch", "--interval", "600", "--dispatcher-id", id, "--json", ...RESUME.split(" ")], {
        env: world.env,
        cwd: world.work,
        stdout: "pipe",
        stderr: "inherit",
      }),
    );
    await until("both watches", () => world.rows("select 1 from dispatchers where ended_at is null and iterations > 0").length === 2);
    const resets = (Math.ceil(Date.now() / 1000) + 6) * 1000;
    await dies(resets);
    await until("the message", () => told() > before, 60);
    await until("its record", () => world.rows("select 1 from limit_resumes where state = 'said'").length === 1);
    for (const watch of watches) watch.kill("SIGTERM");
    const items = (await Promise.all(watches.map(async (watch) => JSON.parse(await new Response(watch.stdout).text()).processed))).flat();
    expect(items.filter(({ signal_type }) => signal_type === "limit_resume")).toMatchObject([{ state: "delivered", proof: "seen" }]);
    expect(told()).toBe(before + 1);
    const [row] = world.rows<{ at: string }>("select claimed_at as at from limit_resumes");
    expect(Date.parse(row!.at)).toBeGreaterThanOrEqual(resets);
  }, 120_000);
}
