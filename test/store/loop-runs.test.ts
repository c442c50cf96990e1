/** Loop runs in the database: found within their task, born with a record, and how far they have come. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { loopMetadata } from "../../src/core/loops/loop-run.ts";
import { compactJson } from "../../src/core/json.ts";
import type { Task } from "../../src/core/tasks/task.ts";
import { loopProgress, needLoopRun } from "../../src/store/loops/runs.ts";
import { createRun } from "../../src/store/record/runs.ts";
import { bind } from "../../src/store/sessions/bindings.ts";
import { registerSession } from "../../src/store/sessions/sessions.ts";
import type { Store } from "../../src/store/store.ts";
import { createTask } from "../../src/store/tasks/tasks.ts";
import { World } from "../harness.ts";

let w: World;
let store: Store;
let task: Task;
beforeEach(() => {
  w = new World();
  store = w.store();
  task = createTask(store, { name: "t1", goal: "g" });
});
afterEach(() => w.close());

const metadata = loopMetadata({ gates: ["tests"], currentIteration: 1, maxIterations: 4 });

describe("finding a run", () => {
  test("the newest of a name, the id before a name, and never that of another task", () => {
    const other = createTask(store, { name: "t2", goal: "g" });
    const first = createRun(store, task, { name: "r", purpose: "ralph_loop", metadata });
    const second = createRun(store, task, { name: "r", purpose: "ralph_loop", metadata });
    createRun(store, other, { name: "r", purpose: "ralph_loop", metadata });
    const tricky = createRun(store, task, { name: first.id, purpose: "ralph_loop", metadata });
    expect(needLoopRun(store, task, "r").run.id).toBe(second.id);
    expect(needLoopRun(store, task, first.id).run.id).toBe(first.id);
    expect(needLoopRun(store, task, tricky.id).run.id).toBe(tricky.id);
  });

  test("a run of another task is said to be that", () => {
    const other = createTask(store, { name: "t2", goal: "g" });
    createRun(store, other, { name: "elsewhere", purpose: "ralph_loop", metadata });
    expect(() => needLoopRun(store, task, "elsewhere")).toThrow('run "elsewhere" belongs to task "t2"');
    expect(() => needLoopRun(store, task, "nope")).toThrow('has no run "nope"');
  });
});

describe("progress", () => {
  let serial = 0;
  const message = (runId: string, iteration: unknown, row: { state?: string; mode?: string; consumed?: boolean }) => {
    const {
      id,
      worker_session_id: worker,
      manager_session_id: manager,
    } = store.db.query<Record<string, string>, []>("select * from bindings").get()!;
    store.db
      .query(
        `insert into routed_notifications (task_id, binding_id, correlation_id, source_session_id, target_session_id, signal_type, dedupe_key, created_at, state, delivery_mode, consumed_at, payload_json)
         values (?, ?, 'c', ?, ?, 'continue_iteration', ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        task.id,
        id!,
        manager!,
        worker!,
        `k${serial++}`,
        store.now(),
        row.state ?? "delivered",
        row.mode ?? "pull_required",
        row.consumed ? store.now() : null,
        compactJson({ ralph_loop: { run_id: runId, requested_iteration: iteration } }),
      );
  };
  beforeEach(() => {
    const common = { pid: null, cwd: "/", codexSessionPath: null, codexSessionId: null, tmuxSession: null };
    bind(
      store,
      task,
      registerSession(store, { name: "w", role: "worker", ...common }),
      registerSession(store, { name: "m", role: "manager", ...common }),
    );
  });

  test("moves with what was consumed or pushed, not with what waits or failed", () => {
    const run = createRun(store, task, { name: "r", purpose: "ralph_loop", metadata });
    const loop = needLoopRun(store, task, "r");
    expect(loopProgress(store, loop)).toEqual({ reached: 1, delivered: [], next: 2 });
    message(run.id, 2, {});
    message(run.id, 4, { state: "failed" });
    message(run.id, "4", {});
    message("run-other", 4, { consumed: true });
    expect(loopProgress(store, loop)).toEqual({ reached: 1, delivered: [2], next: 3 });
    message(run.id, 2, { consumed: true });
    message(run.id, 3, { mode: "push" });
    message(run.id, 4, { state: "pending" });
    expect(loopProgress(store, loop)).toEqual({ reached: 3, delivered: [2, 3, 4], next: 5 });
  });
});
