/** Telling a person by rules: once for each thing and rule, whoever looks, and nothing that a program does holds anybody up. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Item, itemOf } from "../../src/core/attention/item.ts";
import { Notifier } from "../../src/flow/attention/notify.ts";
import { thisHolder } from "../../src/system/processes/holder.ts";
import { readRules } from "../../src/system/notify-rules.ts";
import { Site } from "../dashboard/site.ts";
import { Stage } from "../dashboard/stage.ts";
import { strike, until, World } from "../harness.ts";
import { boundPair } from "../rollout.ts";
import { MAIN } from "../served-world.ts";

let w: World;
beforeEach(() => {
  w = new World();
  w.realTime = true;
});
afterEach(() => w.close());

const log = () => (existsSync(join(w.dir, "log")) ? readFileSync(join(w.dir, "log"), "utf8").trim().split("\n") : []);

/** Waits until so many were told, and are on record as told. */
const told = (count: number) =>
  until(`${count} notices`, () => log().length === count && w.rows("select 1 from notices where state = 'sent'").length === count);

/** A rule for a program that notes what it was told, and then does this. */
async function rule(more = "", ...flags: string[]): Promise<string> {
  const path = await w.file(`bin/${crypto.randomUUID()}`, `#!/bin/sh\nread -r line; printf '%s\\n' "$line" >> ${w.dir}/log; ${more}\n`);
  chmodSync(path, 0o755);
  return (await w.ok(["notify", "add", "--json", ...flags, "--", path])).id;
}

const item = (id: string, text = "what is it", since: string | null = null): Item =>
  itemOf(
    {
      ...{ kind: "question", key: id, lasting: true, session: "w1", agent: "codex", text, command: null, file: null },
      ...{ choices: null, since, resets_at: null, actions: [{ label: "answer", command: ["conveyor", "answer", id] }] },
    },
    { id: "task-1", name: "t1" },
    null,
  );

function notifier(): { look: (...items: Item[]) => number | null; close: () => Promise<void>; said: string[] } {
  const cx = w.context();
  const said: string[] = [];
  const notifier = new Notifier({ cx, store: cx.store() }, { tell: (_, message) => said.push(message), over: () => {} });
  return { look: (...items) => notifier.look(notifier.rules(), items), close: () => notifier.close(), said };
}

test("each thing is told once a rule, also by three that look at once, again and again", async () => {
  await rule();
  await rule();
  const three = [notifier(), notifier(), notifier()];
  for (let round = 0; round < 5; round++) for (const each of three) each.look(item("a"), item("b"));
  await told(4);
  await Promise.all(three.map((each) => each.close()));
  expect(
    log()
      .map((line) => JSON.parse(line).id)
      .sort(),
  ).toEqual(["a", "a", "b", "b"]);
  expect(JSON.parse(log()[0]!)).toMatchObject({
    task: "t1",
    session: "w1",
    // It is read anywhere, and leads to these records from there.
    actions: [{ command: ["conveyor", "answer", expect.any(String), "--path", w.dbPath] }],
  });
  const after = notifier();
  after.look(item("a"), item("b"), item("c"));
  await told(6);
  await after.close();
  expect(
    log()
      .slice(4)
      .map((line) => JSON.parse(line).id),
  ).toEqual(["c", "c"]);
  expect((await w.ok("notify list --json")).rules).toMatchObject([{ sent: 3 }, { sent: 3 }]);
});

test("a program that fails, or hangs, is told in the list and keeps no other back", async () => {
  const failing = await rule("echo out of reach >&2; exit 7");
  const hanging = await rule(`touch ${w.dir}/hangs; exec sleep 1000`);
  const good = await rule();
  const one = notifier();
  one.look(item("a"));
  await until(
    "the others",
    async () =>
      (await w.ok("notify list --json")).rules.filter((each: { sent: number; failed: number }) => each.sent + each.failed > 0).length === 2,
  );
  await until("the one that hangs", () => existsSync(join(w.dir, "hangs")));
  const rules: { id: string }[] = (await w.ok("notify list --json")).rules;
  const of = (id: string) => rules.find((each) => each.id === id);
  expect(of(failing)).toMatchObject({ sent: 0, failed: 1, last_error: "out of reach" });
  expect(of(hanging)).toMatchObject({ sent: 0, failed: 0, unknown: 0 });
  expect(of(good)).toMatchObject({ sent: 1 });
  await one.close();
  expect((await w.ok("notify list --json")).rules.find((each: { id: string }) => each.id === hanging)).toMatchObject({
    failed: 1,
    last_error: expect.stringContaining("it gave no answer and was ended after 1"),
  });
}, 40_000);

test("one whose runner died in it is unknown, and not done again", async () => {
  const id = await rule();
  const dead = Bun.spawnSync(["true"]).pid;
  const store = w.store();
  const { world } = (await thisHolder(w.env))!;
  store.db.run("insert into notices (rule, item, nth, kind, claimed_at, world, pid, born) values (?, 'a', 1, 'question', ?, ?, ?, 'x')", [
    id,
    new Date().toISOString(),
    world,
    dead,
  ]);
  const one = notifier();
  one.look(item("a"), item("b"));
  await told(1);
  await one.close();
  expect(JSON.parse(log()[0]!).id).toBe("b");
  expect((await w.ok("notify list --json")).rules).toMatchObject([{ id, sent: 1, failed: 0, unknown: 1 }]);
  expect((await w.run("notify list")).stdout).toContain("1 unknown");
});

test("a Dispatch that is killed inside a program: unknown, and the next one does not run it again", async () => {
  const worker = Bun.spawn(["sleep", "1000"]);
  await boundPair(w, { pid: worker.pid });
  worker.kill("SIGKILL");
  await worker.exited;
  // Else this process is the manager, and no person.
  w.store().db.run("update sessions set pid = null where name = 'm1'");
  const id = await rule(`echo $$ >> ${w.dir}/inside; exec sleep 1000`, "--on", "gone");
  const inside = () =>
    existsSync(join(w.dir, "inside")) ? readFileSync(join(w.dir, "inside"), "utf8").trim().split("\n").map(Number) : [];
  const dispatch = () => Bun.spawn([...MAIN, "dispatch", "--watch"], { env: w.env, stdout: "ignore", stderr: "inherit" });
  const first = dispatch();
  await until("the program", () => inside().length === 1);
  strike(first.pid);
  await first.exited;
  const listed = async () => (await w.ok("notify list --json")).rules;
  expect(await listed()).toMatchObject([{ id, sent: 0, failed: 0, unknown: 1 }]);
  // A rule of its own shows that the next one has looked at the same thing.
  await rule("", "--on", "gone");
  const second = dispatch();
  try {
    await until("the second rule", () => w.rows("select 1 from notices where state = 'sent'").length === 1);
    expect(inside()).toHaveLength(1);
    expect(await listed()).toMatchObject([{ id, sent: 0, failed: 0, unknown: 1 }, { sent: 1 }]);
  } finally {
    strike(second.pid, ...inside());
  }
}, 60_000);

test("--after leaves out what ends sooner, --repeat tells again as long as it lasts", async () => {
  await rule("", "--after", "60", "--repeat", "100");
  const start = Date.parse("2026-01-02T03:04:05.000Z");
  w.realTime = false;
  w.clock = start;
  const one = notifier();
  const since = new Date(start).toISOString();
  expect(one.look(item("a", "x", since))).toBe(start + 60_000);
  w.clock = start + 59_000;
  expect(one.look(item("a", "x", since))).toBe(start + 60_000);
  w.clock = start + 60_000;
  one.look(item("a", "x", since));
  await told(1);
  const next = one.look(item("a", "x", since))!;
  expect(next).toBeGreaterThanOrEqual(start + 160_000);
  w.clock = next;
  // It is over: nothing more.
  expect(one.look()).toBeNull();
  one.look(item("a", "x", since));
  await told(2);
  await one.close();
  expect(w.rows("select nth, state from notices order by nth")).toEqual([
    { nth: 1, state: "sent" },
    { nth: 2, state: "sent" },
  ]);
});

test("what has no name that stays is told once it has one", async () => {
  await rule();
  const one = notifier();
  one.look(item("task-1 gone session-1 7"), item("b"));
  await told(1);
  await one.close();
  expect(JSON.parse(log()[0]!).id).toBe("b");
});

test("only the kinds of a rule, and rules that come and go", async () => {
  const one = notifier();
  one.look(item("a"));
  const limited = await rule("", "--on", "limit");
  one.look(item("a"));
  await w.ok(`notify remove ${limited} --json`);
  await rule();
  one.look(item("a"));
  await told(1);
  await one.close();
  expect(JSON.parse(log()[0]!).id).toBe("a");
});

test("rules that others may write are told once, and none of them is carried out", async () => {
  await rule();
  const { id } = readRules(w.env)[0]!;
  const path = join(w.env.HOME!, ".config/conveyor/notify", `${id}.json`);
  chmodSync(path, 0o666);
  const one = notifier();
  one.look(item("a"));
  await one.close();
  expect([one.said, log()]).toEqual([[`no rule of notify is used: ${path} may be written by others`], []]);
});

test("what an agent says reaches a program as data: no word of a command, no second line", async () => {
  await rule();
  const hostile = '"; rm -rf ~ #\n{"id":"forged"}\u001b]0;x\u0007$(touch /tmp/never)';
  const one = notifier();
  one.look(item("a", hostile));
  await told(1);
  await one.close();
  expect(log().length).toBe(1);
  expect(JSON.parse(log()[0]!).text).toBe(hostile);
});

describe("carried out", () => {
  const MAIN = resolve(import.meta.dir, "../../src/main.ts");
  const children: Bun.Subprocess[] = [];
  afterEach(() => strike(...children.splice(0).map(({ pid }) => pid)));
  /** A Dispatch as a process of its own, in a folder. */
  const dispatch = async (id: string, cwd = w.work): Promise<void> => {
    const env = { ...w.env };
    children.push(
      Bun.spawn([process.execPath, MAIN, "dispatch", "--watch", "--dispatcher-id", id], { env, cwd, stdout: "ignore", stderr: "ignore" }),
    );
    await until(`Dispatch ${id}`, () => w.rows("select 1 from dispatchers where dispatcher_id = ? and iterations > 0", id).length > 0);
  };

  test("by two Dispatches and a dashboard once, though another rule's program fails, and Dispatch goes on", async () => {
    const stage = new Stage(w);
    const { worker } = await stage.pair("t1", "goal");
    await rule();
    const failing = await rule("exit 1");
    await dispatch("a");
    await dispatch("b");
    const site = await Site.open(w);
    try {
      strike(worker.pid);
      await until(
        "both rules",
        async () => {
          const { rules } = await w.ok("notify list --json");
          return rules.every((each: { sent: number; failed: number }) => each.sent + each.failed === 1);
        },
        40,
      );
      await w.ok(["enqueue-notify-manager", "t1", "--message", "all the same"]);
      await until("the message", () => w.rows("select 1 from commands where type = 'notify_manager' and state <> 'pending'").length > 0);
      expect(log().map((line) => JSON.parse(line))).toMatchObject([
        { kind: "gone", weight: "now", task: "t1", session: worker.name },
        { kind: "gone" },
      ]);
      expect((await w.ok("notify list --json")).rules.find((each: { id: string }) => each.id === failing)).toMatchObject({
        sent: 0,
        failed: 1,
        last_error: "it ended with 1",
      });
      expect(site.problems).toEqual([]);
    } finally {
      await site.close();
    }
  }, 90_000);

  test("nothing that comes with a stranger's folder: neither rules nor the program that they name", async () => {
    const stage = new Stage(w);
    const { worker } = await stage.pair("t1", "goal");
    const id = await rule();
    const { argv } = readRules(w.env)[0]!.how as { argv: string[] };
    const clone = join(w.dir, "clone");
    const text = readFileSync(join(w.env.HOME!, ".config/conveyor/notify", `${id}.json`), "utf8");
    await w.ok(`notify remove ${id} --json`);
    for (const place of [
      "clone/.config/conveyor/notify",
      "clone/conveyor/notify",
      "clone/.codex-workers/conveyor/notify",
      "state/conveyor/notify",
    ])
      await w.file(`${place}/${id}.json`, text);
    w.env.XDG_CONFIG_HOME = "./";
    await dispatch("a", clone);
    strike(worker.pid);
    await w.ok("tasks --create t2 --goal g");
    // A rule of one's own is carried out by the same Dispatch for the same thing: then it had its chance.
    const own = await rule();
    await w.ok("tasks --create t3 --goal g");
    await until("it", async () => (await w.ok("notify list --json")).rules[0].sent === 1, 40);
    expect(w.rows("select rule from notices")).toEqual([{ rule: own }]);
    expect(log().length).toBe(1);
    expect(argv[0]).toStartWith(w.dir);
  }, 90_000);
});
