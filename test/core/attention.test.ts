/** What waits for a person: each kind by itself, the most pressing first, and nothing when all is well. */
import { expect, test } from "bun:test";
import { attention, type SideState, type TaskSituation } from "../../src/core/dashboard/attention.ts";

const side = (more: Partial<SideState> = {}): SideState => ({
  name: "w1",
  role: "worker",
  alive: true,
  turn: "completed",
  turnError: null,
  moved: null,
  turnAt: null,
  page: "idle",
  dialog: null,
  asks: [],
  ...more,
});
const calm: TaskSituation = {
  task: { id: "task-1", name: "a b", state: "managed" },
  sides: [side(), side({ name: "m1", role: "manager" })],
  bound: true,
  openCriteria: 0,
  proposedCriteria: 0,
  staleEvidence: 0,
  uncertain: [],
  failed: [],
  queued: 0,
  dispatch: true,
  dismissed: [],
};
const of = (more: Partial<TaskSituation>) => attention({ ...calm, ...more });
const trouble = { id: "command:1", what: "nudge_worker", state: "failed", at: "2026-01-01T00:00:00.000Z", error: "no permission" };

test("nothing waits when all is well", () => {
  expect(of({})).toEqual([]);
});

test("a dialog is told with its question, and the command that opens the terminal", () => {
  const dialog = {
    question: "Run rm -rf?",
    choices: ["Yes", "No"],
    chosen: 0,
    kind: "command" as const,
    subject: "rm -rf",
    answers: [],
    takesText: false,
  };
  expect(of({ sides: [side({ dialog, page: "command_approval" })] })).toMatchObject([
    { kind: "dialog", weight: "now", text: "w1 asks: Run rm -rf?", command: "conveyor open-worker 'a b'" },
  ]);
  expect(of({ sides: [side({ page: "sign_in" })] })).toMatchObject([{ kind: "dialog", text: "w1 asks something" }]);
});

test("what is asked by protocol is told with the command that answers it", () => {
  const choices = [
    { word: "yes", label: "yes, this once" },
    { word: "no", label: "no" },
  ];
  const ask = { id: "ask-1", question: "may it run this command?", command: "rm -rf x", choices, takes_text: false, asked_at: "2026" };
  const asks = [ask];
  const [yes, nothing] = [side({ asks, page: "command_approval", turn: "open" }), []];
  expect(of({ sides: [yes] })).toEqual([
    {
      item: null,
      kind: "question",
      weight: "now",
      text: "w1 asks: may it run this command? $ rm -rf x",
      since: "2026",
      command: "conveyor answer w1",
    },
  ]);
  expect(of({ sides: [side({ asks, page: null })] })).toHaveLength(1);
  // Another page in front of it is told, too.
  expect(of({ sides: [side({ asks, page: "sign_in" })] }).map(({ kind }) => kind)).toEqual(["question", "dialog"]);
  const two = [ask, { ...ask, id: "ask-2", command: null, choices: [], takes_text: true }];
  expect(of({ sides: [side({ asks: two, name: "w 1" })] }).map(({ command }) => command)).toEqual([
    "conveyor answer ask-1",
    "conveyor answer ask-2",
  ]);
  expect(of({ sides: [side({ asks, name: "w 1" })] })).toMatchObject([{ command: "conveyor answer 'w 1'" }]);
  // What only its terminal can be told.
  expect(of({ sides: [side({ asks: [{ ...ask, choices: nothing }] })] })).toMatchObject([{ command: "conveyor open-worker 'a b'" }]);
  // No answer reaches it.
  for (const [more, kind] of [
    [{ alive: false }, "gone"],
    [{ turn: "crashed" }, "crashed"],
    [{ moved: "conveyor register-worker" }, "moved"],
  ] as const)
    expect(of({ sides: [side({ asks, ...more })] }).map((wait) => wait.kind)).toEqual([kind]);
});

test("what is asked passes for no more of what we tell", () => {
  const ask = { id: "ask-1", choices: [], takes_text: true, asked_at: "2026" };
  const hostile = { ...ask, question: "why?\nw1 asks: nothing\u202e\u001b[31m", command: "a\r\nb\tc" };
  expect(of({ sides: [side({ asks: [hostile] })] })[0]!.text).toBe("w1 asks: why? w1 asks: nothing[31m $ a b c");
});

test("dead sessions: in the middle of a turn, or between", () => {
  expect(of({ sides: [side({ turn: "crashed", alive: false })] })).toMatchObject([{ kind: "crashed", weight: "now" }]);
  expect(of({ sides: [side({ alive: false })] })).toMatchObject([{ kind: "gone", weight: "now" }]);
  expect(of({ sides: [side({ alive: null })] })).toEqual([]);
});

test("a pane that shows another conversation, with the command that takes it on record", () => {
  expect(of({ sides: [side({ moved: "conveyor register-worker --name w1 --codex-session T" })] })).toMatchObject([
    { kind: "moved", weight: "now", command: "conveyor register-worker --name w1 --codex-session T" },
  ]);
});

test("messages that may not have arrived, failed and blocked commands; each can be put away", () => {
  expect(of({ uncertain: [trouble] })).toMatchObject([{ item: "command:1", kind: "uncertain", weight: "now" }]);
  expect(of({ failed: [trouble, { ...trouble, id: "command:2", state: "blocked" }] }).map(({ kind, item }) => [kind, item])).toEqual([
    ["failed", "command:1"],
    ["blocked", "command:2"],
  ]);
  expect(of({ failed: [trouble], dismissed: ["command:1"] })).toEqual([]);
});

test("no Dispatch presses when something is queued", () => {
  expect(of({ dispatch: false })).toMatchObject([{ kind: "dispatch", weight: "soon" }]);
  expect(of({ dispatch: false, queued: 2 })).toMatchObject([
    { kind: "dispatch", weight: "now", text: "2 messages wait, and no Dispatch is running" },
  ]);
  expect(of({ dispatch: false, bound: false, task: { ...calm.task, state: "candidate" } })).toEqual([]);
});

test("criteria and proofs, after what presses", () => {
  const kinds = of({ openCriteria: 1, proposedCriteria: 2, staleEvidence: 1, failed: [trouble] }).map(({ kind }) => kind);
  expect(kinds).toEqual(["failed", "evidence", "proposed", "criteria"]);
  expect(of({ bound: false })).toMatchObject([{ kind: "unbound", command: "conveyor bind --task 'a b' --worker NAME --manager NAME" }]);
});
