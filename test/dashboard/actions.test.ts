/** Every action of the page does what its command does, tells what it wrote, and refuses like it. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { capturePane } from "../../src/system/terminal/panes.ts";
import { hasSession } from "../../src/system/terminal/sessions.ts";
import { until, World } from "../harness.ts";
import { Site } from "./site.ts";
import { Stage } from "./stage.ts";

const w = new World();
w.realTime = true;
const stage = new Stage(w);
let site: Site;
beforeAll(async () => {
  await stage.pair("work", "Something to act on");
  site = await Site.open(w);
});
afterAll(async () => {
  await site.close();
  w.close();
});

const done = async (name: string, input: unknown): Promise<any> => {
  const { status, body, text } = await site.act(name, input);
  expect([name, status, text]).toEqual([name, 200, text]);
  return body;
};
const refused = async (name: string, input: unknown): Promise<string> => {
  const { status, body } = await site.act(name, input);
  expect([name, status, body.done]).toEqual([name, 409, false]);
  return body.said;
};

describe("records", () => {
  test("a task is created; names may repeat", async () => {
    const receipt = await done("create-task", { name: "new", goal: "A goal", summary: " " });
    expect(receipt.wrote).toEqual([`tasks ${receipt.result.id}`]);
    expect(w.rows("select name, goal, summary, state from tasks where id = ?", receipt.result.id)).toEqual([
      { name: "new", goal: "A goal", summary: null, state: "candidate" },
    ]);
  });

  test("sessions are bound, unbound and forgotten, with the refusals of the commands", async () => {
    const worker = await stage.session("worker", "free-worker");
    const manager = await stage.session("manager", "free-manager");
    await done("bind", { task: "new", worker: worker.name, manager: manager.name });
    expect(await refused("bind", { task: "new", worker: worker.name, manager: manager.name })).toContain("already bound");
    expect(await refused("deregister", { session: worker.name })).toContain("is bound to task");
    await done("unbind", { task: "new" });
    await done("deregister", { session: worker.name });
    expect(await hasSession(w.env, worker.name)).toBe(true);
    expect(await refused("deregister", { session: "nobody" })).toContain('unknown session "nobody"');
  });

  test("what was seen is not told again, and the record stays", async () => {
    await w.ok(["enqueue-nudge-worker", "work", "--message", "x", "--required-permission", "repo.open_pr"]);
    await w.ok("dispatch --once");
    const stream = await site.live("overview");
    const waits = Object.values<any>((await stream.next()).data.set).flatMap((part) => part.waits ?? []);
    await stream.close();
    const failed = waits.find((wait) => wait.kind === "failed");
    expect(failed.id).toMatch(/^command:/);
    await done("dismiss", { task: "work", item: failed.id });
    const again = await site.live("overview");
    expect(JSON.stringify((await again.next()).data)).not.toContain(failed.id);
    await again.close();
    expect(w.rows("select state from commands where id = ?", failed.id.slice("command:".length))).toEqual([{ state: "failed" }]);
    expect(await refused("dismiss", { task: "work", item: "' or 1=1 --" })).toContain("item");
  });
});

describe("what was agreed", () => {
  test("criteria are added, judged and reopened", async () => {
    const added = await done("add-criterion", { task: "work", criterion: "It holds", status: "accepted" });
    expect(added.events.map((event: { type: string }) => event.type)).toEqual(["acceptance_criterion_added"]);
    expect((await done("add-criterion", { task: "work", criterion: "It holds", status: "accepted" })).wrote).toEqual([]);
    const [{ id }] = w.rows<{ id: number }>("select id from acceptance_criteria") as [{ id: number }];
    await done("judge-criterion", { task: "work", id, status: "satisfied", proof: "seen" });
    expect(w.rows("select status, proof, source from acceptance_criteria")).toEqual([
      { status: "satisfied", proof: "seen", source: "user_requested" },
    ]);
    await done("judge-criterion", { task: "work", id, status: "accepted" });
    expect(await refused("judge-criterion", { task: "work", id: 999, status: "accepted" })).toContain("999");
    expect(await refused("judge-criterion", { task: "work", id: "1", status: "accepted" })).toContain("id");
  });

  test("a decision is recorded", async () => {
    const receipt = await done("decide", { task: "work", decision: "wait", reason: "nothing to do yet" });
    expect(receipt.said).toBe("The decision to wait is on record.");
    expect(await refused("decide", { task: "work", decision: "guess", reason: "x" })).toContain("decision");
  });
});

describe("speaking", () => {
  test("a look is a cycle, and leaves what waits for the manager", async () => {
    await done("message", { task: "work", session: "work-manager", to: "manager", how: "queue", message: "mail" });
    await w.ok("dispatch --once --json");
    const waiting = () => w.rows("select count(*) as n from routed_notifications where state = 'delivered' and consumed_at is null");
    w.store().db.run("update routed_notifications set state = 'delivered' where signal_type = 'notify_manager'");
    const before = waiting();
    expect(before).not.toEqual([{ n: 0 }]);
    const receipt = await done("cycle", { task: "work" });
    expect(w.rows("select state from manager_cycles where id = ?", receipt.result.cycle_id)).toEqual([{ state: "succeeded" }]);
    expect(waiting()).toEqual(before);
    expect(await refused("cycle", { task: "new" })).toContain("no active binding");
  });

  test("a message goes at once, or waits for Dispatch", async () => {
    await done("message", { task: "work", session: "work-worker", to: "worker", how: "now", message: "-t said from; the page" });
    await until("it is there", async () => (await capturePane(w.env, "work-worker", 0)).includes("-t said from; the page"));
    const queued = await done("message", { task: "work", session: "work-manager", to: "manager", how: "queue", message: "later" });
    expect(w.rows("select type, state from commands where id = ?", queued.wrote[0].split(" ")[1])).toEqual([
      { type: "notify_manager", state: "pending" },
    ]);
  });

  test("an interrupt presses the key that interrupts what runs there", async () => {
    const { name } = await stage.session("worker", "busy-worker");
    const { said, events } = await done("interrupt", { session: name });
    expect(said).toBe("busy-worker was interrupted with C-c.");
    expect(events.map((event: { type: string }) => event.type)).toEqual(["session_interrupted"]);
  });
});

describe("ending", () => {
  test("the gates are explained, and hold", async () => {
    const gates = (await (await site.ask("/api/gates?task=work")).json()) as { name: string; open: boolean; why: string }[];
    expect(gates.find((gate) => gate.name === "criteria")).toMatchObject({ open: false, why: expect.stringContaining("#1") });
    expect(await refused("finish", { task: "work", gates: ["criteria"] })).toContain("open accepted criteria");
    expect(await refused("finish", { task: "work", gates: ["fresh_proof"] })).toContain("machine-proven");
    expect(w.rows("select state from tasks where name = 'work'")).toEqual([{ state: "candidate" }]);
  });

  test("an export says where it lies", async () => {
    const { said } = await done("export", { task: "work" });
    expect(existsSync(join(said.slice(said.indexOf("/"), -1), "manifest.json"))).toBe(true);
  });

  test("finishing stops what it names and nothing else", async () => {
    await done("judge-criterion", { task: "work", id: 1, status: "satisfied", proof: "yes" });
    const receipt = await done("finish", { task: "work", gates: ["criteria"], stopWorker: true, capture: true });
    expect(receipt.wrote).toContain("ended the worker's terminal");
    expect([await hasSession(w.env, "work-worker"), await hasSession(w.env, "work-manager")]).toEqual([false, true]);
    expect(w.rows("select state from tasks where name = 'work'")).toEqual([{ state: "done" }]);
  });

  test("giving up ends the manager's terminal", async () => {
    await stage.pair("hopeless", "Cannot be done");
    await done("stop", { task: "hopeless", reason: "no way" });
    expect([await hasSession(w.env, "hopeless-worker"), await hasSession(w.env, "hopeless-manager")]).toEqual([true, false]);
    expect(await refused("stop", { task: "hopeless" })).toContain("already");
  });
});
