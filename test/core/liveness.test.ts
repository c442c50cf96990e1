/** Who counts as live, what counts as drift, and which managers are warned about. */
import { describe, expect, test } from "bun:test";
import { liveResult, type Machine, managerWarning, type Party, type SupervisedTask } from "../../src/core/sessions/liveness.ts";

const nowMs = Date.parse("2026-01-01T01:00:00Z");
const machine: Machine = {
  nowMs,
  panes: [
    { session: "codex-w", paneId: "%1", current: false },
    { session: "codex-w", paneId: "%2", current: true },
    { session: "codex-w2", paneId: "%3", current: true },
  ],
  alive: (pid) => pid === 42,
};

const party = (changes: Partial<Party>): Party => ({
  id: "id",
  name: "name",
  state: "active",
  session: null,
  pid: null,
  recorded_pane_id: null,
  last_seen_at: "2026-01-01T00:59:00Z",
  last_capture_sha256: null,
  ...changes,
});
const task = (changes: Partial<SupervisedTask>): SupervisedTask => ({
  task: { id: "t", name: "my task", state: "managed" },
  worker: null,
  manager: null,
  unfinished: [],
  ...changes,
});
const of = (changes: Partial<SupervisedTask>) => liveResult(task(changes), machine);

describe("live", () => {
  const cases: [string, Partial<Party>, boolean | null, string | null][] = [
    ["in tmux", { session: "codex-w" }, true, "%2"],
    ["in a session of which a longer name exists", { session: "codex" }, false, null],
    ["by pane id", { session: "%3" }, true, "%3"],
    ["by pid", { pid: 42 }, true, null],
    ["with a dead pid", { pid: 43 }, false, null],
    ["with tmux gone though the pid lives", { session: "gone", pid: 42 }, false, null],
    ["with nothing on record", {}, null, null],
  ];
  test.each(cases)("%s", (_, changes, live, pane) => {
    const { worker } = of({ worker: party(changes) });
    expect([worker!.live, worker!.tmux_pane_id]).toEqual([live, pane]);
  });
});

describe("drift", () => {
  test("nothing is expected of parties that have ended", () => {
    expect(of({ worker: party({ state: "gone", pid: 43 }), manager: party({ state: "stopped", pid: 43 }) }).drift).toEqual([]);
  });

  test("a pane is at its place when it is any pane of the session", () => {
    expect(of({ worker: party({ session: "codex-w", recorded_pane_id: "%1" }) }).drift).toEqual([]);
    expect(of({ worker: party({ session: "codex-w", recorded_pane_id: "%3" }) }).drift).toEqual(["worker_pane_mismatch"]);
  });

  test("all kinds come in their order", () => {
    const command = { id: "c", type: "notify_manager", state: "pending", created_at: "2026-01-01T00:00:00Z" };
    const worker = party({ state: "candidate", session: "gone" });
    const manager = party({ state: "ready", session: "codex-w2", recorded_pane_id: "%9" });
    expect(of({ worker, manager, unfinished: [command] }).drift).toEqual([
      "worker_missing",
      "manager_pane_mismatch",
      "unfinished_commands",
    ]);
  });
});

describe("managers that run", () => {
  const warning = (changes: Partial<Party>, staleSeconds: number) =>
    managerWarning(of({ manager: party({ pid: 42, ...changes }) }), staleSeconds, nowMs);

  test("are warned about when they were not seen for longer than the limit", () => {
    expect(warning({}, 60)).toBeNull();
    expect(warning({}, 59)).toEqual({
      task: "my task",
      task_id: "t",
      manager: "name",
      manager_id: "id",
      reason: "manager_seen_stale",
      age_seconds: 60,
      stale_seconds: 59,
      last_seen_at: "2026-01-01T00:59:00Z",
      recommended_action: "conveyor cycle 'my task'",
    });
  });

  test("are warned about when they were never seen", () => {
    expect(warning({ last_seen_at: null }, 1e9)).toMatchObject({ reason: "manager_never_seen" });
  });

  test("are left alone when they do not run", () => {
    expect(warning({ pid: 43 }, 0)).toBeNull();
  });
});
