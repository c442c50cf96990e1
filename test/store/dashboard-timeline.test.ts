/** The timeline page by page: all kinds, newest first, nothing twice and nothing left out. */
import { afterAll, expect, test } from "bun:test";
import { type TimelineItem, timeline } from "../../src/store/dashboard/timeline.ts";
import { Stage } from "../dashboard/stage.ts";
import { World } from "../harness.ts";

const w = new World();
afterAll(() => w.close());

test("pages follow each other without gap or repetition, also while new things happen", async () => {
  const stage = new Stage(w);
  const { worker, manager } = await stage.pair("long", "A long story");
  for (let i = 0; i < 12; i++) {
    stage.turn(worker, `t${i}`, `turn ${i}`, 100 * i);
    await w.ok(`ingest ${worker.name}`);
    await w.ok(["criteria", "long", "--add", "--criterion", `c${i}`, "--source", "user_requested"]);
    if (i % 3 === 0) await w.ok(["record-decision", "long", "wait", "--reason", `r${i}`]);
    if (i % 4 === 0) await w.ok("cycle long");
  }
  await w.ok("unbind --task long");
  await w.ok(["bind", "--task", "long", "--worker", worker.name, "--manager", manager.name]);
  const store = w.store();
  const { id } = w.rows<{ id: string }>("select id from tasks")[0]!;
  const key = (item: TimelineItem): string => `${item.kind} ${item.row}`;
  const whole = timeline(store, id, 1000);
  expect(whole.next).toBeNull();
  expect(whole.items.length).toBeGreaterThan(40);
  expect(new Set(whole.items.map((item) => item.kind))).toEqual(new Set(["turn", "cycle", "decision", "event"]));
  expect(new Set(whole.items.map(key)).size).toBe(whole.items.length);
  expect(whole.items.map((item) => item.at)).toEqual(
    whole.items
      .map((item) => item.at)
      .toSorted()
      .reverse(),
  );
  expect(whole.items.filter((item) => item.what === "task_complete").map((item) => item.text)).toEqual(
    Array.from({ length: 12 }, (_, i) => `turn ${11 - i}`),
  );

  const seen: string[] = [];
  for (let page = timeline(store, id, 7); ; page = timeline(store, id, 7, page.next)) {
    seen.push(...page.items.map(key));
    if (page.next === null) break;
    // What is new comes above; the pages below stay what they were.
    await w.ok(["record-decision", "long", "inspect", "--reason", "meanwhile"]);
  }
  expect(seen.toSorted()).toEqual(whole.items.map(key).toSorted());
});
