/** Following rollouts: a watch that went deaf is found out by the backstop and replaced. */
import { afterEach, expect, test } from "bun:test";
import { cpSync, renameSync } from "node:fs";
import { join } from "node:path";
import { type RolloutWatch, watchRollouts } from "../../../src/flow/observe/rollout-watch.ts";
import { until, World } from "../../harness.ts";
import { boundPair, event } from "../../rollout.ts";

const w = new World();
let watch: RolloutWatch | undefined;
afterEach(() => {
  watch?.close();
  w.close();
});

test("a folder that was replaced is watched again after the next backstop", async () => {
  const { worker } = await boundPair(w);
  const cx = w.context();
  let told = 0;
  const problems: string[] = [];
  let afterRead = (): void => {};
  watch = watchRollouts(
    cx,
    cx.store(),
    () => told++,
    (message) => problems.push(message),
    () => afterRead(),
  );
  const stored = (name = "w1") =>
    w.rows<{ n: number }>("select count(*) as n from codex_events e join sessions s on s.id = e.session_id where s.name = ?", name)[0]!.n;
  watch.follow();
  watch.ingest(true);
  expect([stored(), stored("m1")]).toEqual([1, 1]);

  worker.append(event({ type: "agent_message", message: "no turn" }));
  await until("the event", () => told > 0);
  watch.ingest(false);
  expect(stored()).toBe(1);
  worker.append(event({ type: "task_complete" }));
  const before = told;
  await until("the event", () => told > before);
  watch.ingest(false);
  expect(stored()).toBe(3);

  const sessions = join(w.dir, "codex", "sessions");
  renameSync(sessions, `${sessions}-old`);
  cpSync(`${sessions}-old`, sessions, { recursive: true });
  watch.ingest(true);
  worker.append(event({ type: "task_started" }));
  watch.ingest(true);
  expect(stored()).toBe(4);
  told = 0;
  worker.append(event({ type: "task_complete" }));
  await until("the event of the new folder", () => told > 0);
  watch.ingest(false);
  expect(stored()).toBe(5);

  // What is written after the backstop has read and before the new watch stands tells nobody: the watch that begins asks for a look.
  watch.ingest(true);
  renameSync(sessions, `${sessions}-older`);
  cpSync(`${sessions}-older`, sessions, { recursive: true });
  worker.append(event({ type: "token_count" }));
  told = 0;
  afterRead = () => {
    afterRead = () => {};
    worker.append(event({ type: "task_complete" }));
  };
  watch.ingest(true);
  expect([stored(), told]).toEqual([6, 1]);
  watch.ingest(false);
  expect(stored()).toBe(7);
  expect(problems).toEqual([]);
});
