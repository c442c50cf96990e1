/** The event stream: what changed and nothing else, what was missed and nothing twice, and nothing that grows. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { Live, type LiveMessage, type Parts } from "../../src/dashboard/live.ts";
import { World } from "../harness.ts";
import { Site } from "./site.ts";

/** A stream of views that a test sets by hand, with a clock of its own. */
class Bench {
  parts: Record<string, Parts> = { one: { a: 1, b: { x: 1 } } };
  now = 0;
  watching: boolean[] = [];
  builds = 0;
  readonly live = new Live(
    (view) => {
      this.builds++;
      return this.parts[view] ?? null;
    },
    (any) => void this.watching.push(any),
    () => this.now,
  );
  readonly readers: { cancel(): Promise<void> }[] = [];

  follow(view: string, lastId: string | null = null) {
    const body = this.live.stream(view, lastId);
    if (typeof body === "string") throw new Error(body);
    const reader = body.getReader();
    this.readers.push(reader);
    let held = "";
    return {
      reader,
      async next(): Promise<{ id: string; message: LiveMessage }> {
        for (;;) {
          const end = held.indexOf("\n\n");
          if (end < 0) {
            held += new TextDecoder().decode((await reader.read()).value);
            continue;
          }
          const event = held.slice(0, end);
          held = held.slice(end + 2);
          const data = /^data: (.*)$/m.exec(event)?.[1];
          if (data !== undefined) return { id: /^id: (.*)$/m.exec(event)![1]!, message: JSON.parse(data) };
        }
      },
    };
  }

  change(view: string, parts: Parts): void {
    this.parts[view] = parts;
    this.now += 1000;
    this.live.refresh();
  }
}

let bench = new Bench();
afterEach(async () => {
  for (const reader of bench.readers) await reader.cancel();
  bench = new Bench();
});

describe("a stream", () => {
  test("begins with everything and goes on with what changed", async () => {
    const stream = bench.follow("one");
    expect((await stream.next()).message).toEqual({ whole: true, set: { a: 1, b: { x: 1 } }, drop: [] });
    bench.change("one", { a: 1, b: { x: 2 }, c: 3 });
    expect((await stream.next()).message).toEqual({ set: { b: { x: 2 }, c: 3 }, drop: [] });
    bench.change("one", { b: { x: 2 }, c: 3 });
    expect((await stream.next()).message).toEqual({ set: {}, drop: ["a"] });
  });

  test("says nothing when nothing changed", async () => {
    const stream = bench.follow("one");
    await stream.next();
    bench.change("one", { b: { x: 1 }, a: 1 });
    bench.change("one", { a: 1, b: { x: 3 } });
    expect((await stream.next()).message).toEqual({ set: { b: { x: 3 } }, drop: [] });
  });

  test("brings one that comes back exactly what it missed", async () => {
    const first = bench.follow("one");
    const { id } = await first.next();
    await first.reader.cancel();
    bench.change("one", { a: 2, b: { x: 1 } });
    const again = bench.follow("one", id);
    const missed = await again.next();
    expect(missed.message).toEqual({ set: { a: 2 }, drop: [] });
    await again.reader.cancel();
    const third = bench.follow("one", missed.id);
    bench.change("one", { a: 2 });
    expect((await third.next()).message).toEqual({ set: {}, drop: ["b"] });
  });

  test("brings everything to one of an earlier run, one that was away for long, and one that makes its id up", async () => {
    const { id } = await bench.follow("one").next();
    for (const strange of [`00000000.${id.split(".")[1]}`, "nonsense", `${id.split(".")[0]}.99999`, ""]) {
      expect((await bench.follow("one", strange).next()).message.whole).toBe(true);
    }
    for (const reader of bench.readers) await reader.cancel();
    bench.change("one", { a: 5 });
    bench.now += 61_000;
    bench.parts.two = { z: 1 };
    await bench.follow("two").next();
    bench.change("two", { z: 2 });
    expect((await bench.follow("one", id).next()).message).toMatchObject({ whole: true, set: { a: 5 } });
  });

  test("builds nothing while nobody looks, and says when somebody comes and the last one leaves", async () => {
    bench.change("one", { a: 9 });
    expect(bench.builds).toBe(0);
    const [first, second] = [bench.follow("one"), bench.follow("one")];
    await first.reader.cancel();
    expect(bench.watching).toEqual([true]);
    await second.reader.cancel();
    expect(bench.watching).toEqual([true, false]);
    expect(bench.live.watchers).toBe(0);
  });

  test("a reader that does not read keeps nothing waiting and gets the last state in one event", async () => {
    const stream = bench.follow("one");
    await stream.next();
    for (let i = 0; i < 200; i++) bench.change("one", { a: i });
    let events = 0;
    let last: unknown;
    while (last !== 199) {
      last = (await stream.next()).message.set.a ?? last;
      events++;
    }
    expect(events).toBeLessThan(10);
  });

  test("there are only so many, and only of views that exist", () => {
    expect(bench.live.stream("nothing", null)).toBe("none");
    for (let i = 0; i < 32; i++) bench.follow("one");
    expect(bench.live.stream("one", null)).toBe("full");
  });
});

describe("over the wire", () => {
  const w = new World();
  let site: Site;
  beforeAll(async () => {
    await w.ok("tasks --create first --goal x");
    site = await Site.open(w);
  });
  afterAll(async () => {
    await site.close();
    w.close();
  });

  test("a commit of another connection arrives as the part it changed; a dropped connection misses nothing", async () => {
    const stream = await site.live("overview");
    const begin = await stream.next();
    expect(begin.data.whole).toBe(true);
    expect(begin.data.set.order).toHaveLength(1);
    await w.ok("tasks --create second --goal y");
    const second = await stream.next();
    expect(
      Object.keys(second.data.set)
        .map((name) => name.split("/")[0])
        .sort(),
    ).toEqual(["order", "task"]);
    await stream.close();
    await w.ok("tasks --create third --goal z");
    const again = await site.live("overview", second.id);
    const missed = await again.next();
    expect(missed.data.whole).toBeUndefined();
    expect(Object.values<any>(missed.data.set).flatMap((part) => part.task?.name ?? [])).toEqual(["third"]);
    await again.close();
  });

  test("what the page itself does arrives too", async () => {
    const stream = await site.live("overview");
    await stream.next();
    expect((await site.act("create-task", { name: "mine", goal: "g" })).body).toMatchObject({
      done: true,
      said: "Task mine was created.",
      events: [{ type: "task_created" }],
    });
    expect(JSON.stringify((await stream.next()).data.set)).toContain('"name":"mine"');
    await stream.close();
  });

  test("an unknown view is none", async () => {
    expect((await site.ask("/api/live?view=task:nothing")).status).toBe(404);
    expect((await site.ask("/api/live?view=constructor")).status).toBe(404);
  });
});
