/** What needs a person in a task: each kind by itself, and nothing when all is well. */
import { expect, test } from "bun:test";
import { byPressure, itemOf, isPutAway, KINDS, weightOf, type Draft } from "../../../src/core/attention/item.ts";
import { taskDrafts } from "../../../src/core/attention/items.ts";
import { freeDrafts } from "../../../src/core/attention/session-items.ts";
import { type SideState, STALLED_AFTER_SECONDS, type TaskSituation } from "../../../src/core/attention/situation.ts";

const NOW = Date.parse("2026-01-01T12:00:00.000Z");
const at = (secondsAgo: number): string => new Date(NOW - secondsAgo * 1000).toISOString();
const moment = { nowMs: NOW, stalledAfterSeconds: STALLED_AFTER_SECONDS };

const side = (more: Partial<SideState> = {}): SideState => ({
  id: "session-1",
  name: "w1",
  role: "worker",
  agent: "codex",
  pid: 7,
  served: true,
  alive: true,
  stopped: false,
  state: "idle",
  turn: "completed",
  turnEvent: 12,
  turnBroken: false,
  turnError: null,
  turnAt: at(30),
  limit: { limited: false, resets_at: null },
  limitOver: false,
  page: "idle",
  dialog: null,
  recorded: false,
  asks: [],
  moved: null,
  movedAt: null,
  ...more,
});
const manager = (more: Partial<SideState> = {}): SideState => side({ id: "session-2", name: "m1", role: "manager", turnEvent: 9, ...more });
const calm: TaskSituation = {
  task: { id: "task-1", name: "a b", state: "managed" },
  sides: [side(), manager()],
  boundAt: at(9000),
  proposedCriteria: 0,
  staleProofs: 0,
  uncertain: [],
  failed: [],
  queued: 0,
  untold: 0,
  queuedSince: null,
  underWay: 0,
  budget: { over: false, why: null, until: null, since: null },
  dispatch: true,
  dismissed: [],
  toldElsewhere: null,
};
const of = (more: Partial<TaskSituation>): Draft[] => taskDrafts({ ...calm, ...more }, moment);
const withSide = (more: Partial<SideState>): Draft[] => of({ sides: [side(more), manager()] });
const kinds = (drafts: readonly Draft[]): string[] => drafts.map(({ kind }) => kind);
const first = (drafts: readonly Draft[]): string | undefined => drafts[0]?.actions[0]?.command.join(" ");
const trouble = { id: "command:1", what: "nudge_worker", state: "failed", at: at(5), error: "no permission" };
const CHOICES = [
  { word: "yes", label: "yes, this once" },
  { word: "no", label: "no" },
];
const ask = { id: "ask-1", kind: "command", question: "may it run this command?", command: "rm -rf x", choices: CHOICES } as const;
const asked = { ...ask, takes_text: false, asked_at: at(3) };

test("nothing needs anybody when all is well, and open criteria are no reason", () => {
  expect(of({})).toEqual([]);
});

test("what is asked carries the whole command, the choices, and the commands that answer it", () => {
  expect(withSide({ asks: [asked], page: "command_approval", turn: "open", state: "busy" })).toEqual([
    {
      kind: "question",
      key: "ask-1",
      lasting: true,
      session: "w1",
      agent: "codex",
      text: "w1 asks: may it run this command? $ rm -rf x",
      command: "rm -rf x",
      file: null,
      choices: CHOICES,
      since: at(3),
      resets_at: null,
      actions: [
        { label: "yes, this once", command: ["conveyor", "answer", "ask-1", "yes"] },
        { label: "no", command: ["conveyor", "answer", "ask-1", "no"] },
        { label: "open its terminal", command: ["conveyor", "open-worker", "a b"] },
      ],
    },
  ]);
  const [edit] = withSide({ asks: [{ ...asked, kind: "file", command: "/src/a.ts" }] });
  expect([edit!.command, edit!.file, edit!.text]).toEqual([null, "/src/a.ts", "w1 asks: may it run this command? /src/a.ts"]);
  // An agent names its own choices, and they pass for no flag of ours.
  const [free] = withSide({ asks: [{ ...asked, command: null, choices: [{ word: "--reason", label: "red" }], takes_text: true }] });
  expect(free!.actions.map(({ command }) => command.join(" "))).toEqual([
    "conveyor answer ask-1 1.",
    "conveyor answer ask-1 --text TEXT",
    "conveyor open-worker a b",
  ]);
  // Which keys choose it is not certain, of one of them.
  const answers = [
    { number: 1, word: "yes", keys: ["1"] },
    { number: 2, word: "no", keys: null },
  ];
  const dialog = { question: "?", choices: ["Yes", "No"], chosen: 0, kind: "command", subject: null, answers, takesText: false } as const;
  const [typed] = withSide({ asks: [asked], served: false, page: "command_approval", dialog });
  expect(typed!.actions.map(({ command }) => command.join(" "))).toEqual(["conveyor answer ask-1 yes", "conveyor open-worker a b"]);
  // What only its terminal can be told.
  expect(first(withSide({ asks: [{ ...asked, choices: [] }] }))).toBe("conveyor open-worker a b");
  // Another page in front of it is told, too.
  expect(kinds(withSide({ asks: [asked], page: "sign_in" }))).toEqual(["question", "login"]);
  // No answer reaches it.
  expect(kinds(withSide({ asks: [asked], alive: false }))).toEqual(["gone"]);
  expect(kinds(withSide({ asks: [asked], turn: "crashed" }))).toEqual(["crashed"]);
  expect(kinds(withSide({ asks: [asked], moved: ["conveyor", "register-worker"], movedAt: at(1) }))).toEqual(["moved"]);
});

test("what is asked passes for no more of what we tell", () => {
  const hostile = { ...asked, question: "why?\nw1 asks: nothing\u202e\u001b[31m", command: "a\r\nb\tc" };
  const [draft] = withSide({ asks: [hostile] });
  expect(draft!.text).toBe("w1 asks: why? w1 asks: nothing[31m $ a b c");
  // Whole for a program, which JSON keeps harmless.
  expect(draft!.command).toBe("a\r\nb\tc");
});

test("pages that nobody has on record, by what they are about", () => {
  const dialog = {
    question: "Do you trust\n/tmp/x?",
    choices: ["Yes", "No"],
    chosen: 0,
    kind: "other" as const,
    subject: null,
    answers: [
      { number: 1, word: "yes", keys: ["1"] },
      { number: 2, word: "no", keys: ["2"] },
    ],
    takesText: false,
  };
  expect(withSide({ page: "folder_trust", dialog })).toMatchObject([
    {
      kind: "trust",
      lasting: false,
      text: "w1 asks: Do you trust /tmp/x?",
      choices: [
        { word: "yes", label: "Yes" },
        { word: "no", label: "No" },
      ],
      actions: [{ command: ["conveyor", "open-worker", "a b"] }],
    },
  ]);
  for (const [page, kind] of [
    ["sign_in", "login"],
    ["api_key", "login"],
    ["rate_limit", "limit"],
    ["update_offer", "dialog"],
    ["command_approval", "question"],
    ["idle", undefined],
    ["draft", undefined],
  ] as const)
    expect([page, withSide({ page })[0]?.kind]).toEqual([page, kind]);
  // It was on record, and was answered since it was looked at.
  expect(withSide({ page: "command_approval", recorded: true })).toEqual([]);
  // Another page is another fact, and so is that of the other side.
  const keys = [withSide({ page: "sign_in" }), withSide({ page: "api_key" }), of({ sides: [side(), manager({ page: "sign_in" })] })];
  expect(new Set(keys.map(([draft]) => draft!.key)).size).toBe(3);
});

test("a limit is told with the time at which it is full again, once with the page that says the same, and until then", () => {
  const error = { kind: "usage_limit", message: "You've hit your usage limit", resets_at: null } as const;
  const limited = { turn: "failed", turnError: error, limit: { limited: true, resets_at: at(-60) } } as const;
  const [draft, ...more] = withSide(limited);
  expect(draft).toMatchObject({ kind: "limit", key: "limit:12", resets_at: at(-60) });
  expect(draft!.text).toMatch(/^w1's turn failed: usage limit, until .+/);
  expect(draft!.actions.at(-1)!.command).toEqual(["conveyor", "limits"]);
  expect(more).toEqual([]);
  expect(withSide({ ...limited, page: "rate_limit" })).toMatchObject([
    { kind: "limit", key: "limit:12", actions: [{ label: "open its terminal" }, {}] },
  ]);
  expect(withSide({ page: "rate_limit", limit: limited.limit })).toMatchObject([{ kind: "limit", lasting: false, resets_at: at(-60) }]);
  // It is full again: whoever was told of it is not told once more, unless nobody goes on.
  expect(withSide({ ...limited, limit: { limited: false, resets_at: null }, limitOver: true })).toMatchObject([
    { kind: "limit", key: "limit:12", text: "w1's turn failed: usage limit, which is over", resets_at: null },
  ]);
  expect(withSide({ ...limited, limit: { limited: false, resets_at: null } })).toMatchObject([{ kind: "failed", key: "failed:12" }]);
  expect(kinds(withSide({ turn: "failed", turnError: { ...error, kind: "auth" } }))).toEqual(["login"]);
});

test("dead sessions: in the middle of a turn, or between; one that is not known to be dead is none", () => {
  expect(withSide({ turn: "crashed", alive: false })).toMatchObject([{ kind: "crashed", key: "crashed:12" }]);
  // Revived it is still the same fact, until somebody says how it goes on; what a person broke off is none.
  expect(withSide({ turn: "aborted", turnBroken: true })).toMatchObject([{ kind: "crashed", key: "crashed:12" }]);
  expect(withSide({ turn: "aborted" })).toEqual([]);
  // It may have rested for long before it ended: since when is what a look puts on record.
  expect(withSide({ alive: false })).toMatchObject([{ kind: "gone", lasting: false, since: null }]);
  expect(withSide({ alive: null })).toEqual([]);
});

test("who was stopped is not revived: what leads on is what tells how it is started again", () => {
  expect(first(withSide({ alive: false }))).toBe("conveyor revive a b");
  expect(first(withSide({ alive: false, stopped: true }))).toBe("conveyor reconcile");
  expect(first(withSide({ alive: false, turn: "crashed" }))).toBe("conveyor revive a b");
  expect(first(withSide({ alive: false, turn: "crashed", stopped: true }))).toBe("conveyor reconcile");
});

test("a pane that shows another conversation, with the command that takes it on record", () => {
  const moved = ["conveyor", "register-worker", "--name", "w1", "--codex-session", "T"];
  expect(withSide({ moved, movedAt: at(4) })).toMatchObject([{ kind: "moved", since: at(4), actions: [{ command: moved }] }]);
});

test("messages that may not have arrived, failed and blocked commands; each can be put away, and nothing else", () => {
  const drafts = of({ uncertain: [trouble], failed: [trouble, { ...trouble, id: "command:2", state: "blocked" }] });
  expect(drafts.map(({ kind, key }) => [kind, key])).toEqual([
    ["uncertain", "command:1"],
    ["failed", "command:1"],
    ["blocked", "command:2"],
  ]);
  expect(drafts.every((draft) => isPutAway(itemOf(draft, calm.task, null)))).toBe(true);
  expect(withSide({ alive: false }).some((draft) => isPutAway(itemOf(draft, calm.task, null)))).toBe(false);
  expect(of({ failed: [trouble], dismissed: ["command:1"] })).toEqual([]);
});

test("no Dispatch presses when something is queued", () => {
  expect(of({ dispatch: false })).toMatchObject([{ kind: "dispatch" }]);
  expect(of({ dispatch: false, queued: 2, queuedSince: at(8) })).toMatchObject([
    { kind: "no_dispatch", text: "2 messages wait, and no Dispatch is running", since: at(8) },
  ]);
  expect(of({ dispatch: false, boundAt: null, task: { ...calm.task, state: "candidate" } })).toEqual([]);
});

test("a pair is stalled when both have rested for long, with nothing queued and nothing else that tells why", () => {
  const resting = (more: Partial<TaskSituation> = {}, worker: Partial<SideState> = {}): string[] =>
    kinds(of({ sides: [side({ turnAt: at(4000), ...worker }), manager({ turnAt: at(601) })], ...more }));
  expect(resting()).toEqual(["stalled"]);
  expect(of({ sides: [side({ turnAt: at(4000) }), manager({ turnAt: at(601) })] })[0]!.since).toBe(at(601));
  expect(resting({}, { turnAt: at(599) })).toEqual([]);
  expect(resting({ boundAt: at(10) })).toEqual([]);
  expect(resting({ queued: 1, queuedSince: at(700) })).toEqual([]);
  expect(resting({ underWay: 1 })).toEqual([]);
  // Nobody tells of it where no Dispatch runs, and both rest all the same.
  expect(resting({ untold: 1, queuedSince: at(700) })).toEqual(resting());
  expect(resting({ task: { ...calm.task, state: "paused" } })).toEqual([]);
  expect(resting({}, { state: "busy", turn: "open" })).toEqual([]);
  expect(resting({}, { state: "unknown", turn: "none", turnAt: null })).toEqual([]);
  expect(resting({}, { asks: [asked] })).toEqual(["question"]);
  expect(
    resting(
      {},
      {
        turn: "failed",
        turnError: { kind: "usage_limit", message: "", resets_at: null },
        limit: { limited: true, resets_at: null },
      },
    ),
  ).toEqual(["limit"]);
  const soon = { ...moment, stalledAfterSeconds: 20 };
  expect(kinds(taskDrafts(calm, soon))).toEqual(["stalled"]);
});

test("a worker without a manager has ended its turn, once it was set free", () => {
  const free = (more: Partial<SideState>, freeSince: string | null = null): string[] => kinds(freeDrafts({ side: side(more), freeSince }));
  expect(free({})).toEqual(["turn_ended"]);
  expect(free({}, at(31))).toEqual(["turn_ended"]);
  // It ended while a manager heard of it.
  expect(free({}, at(29))).toEqual([]);
  expect(free({ turn: "open" })).toEqual([]);
  expect(free({ role: "manager" })).toEqual([]);
  // That it is gone is for whoever asks for it.
  expect(free({ alive: false })).toEqual([]);
  // So is what failed in it, while a turn that it died in may be gone on with.
  const failed = { turn: "failed", turnError: { kind: "other", message: "", resets_at: null } } as const;
  expect(free(failed)).toEqual(["failed"]);
  expect(free({ ...failed, alive: false })).toEqual([]);
  expect(free({ turn: "crashed", alive: false })).toEqual(["crashed"]);
  expect(free({ asks: [asked] })).toEqual(["question"]);
  expect(freeDrafts({ side: side({ asks: [asked] }), freeSince: null })[0]!.actions.at(-1)!.command).toEqual(["conveyor", "open", "w1"]);
});

test("proofs, proposals, a spent budget, and a task that nobody is bound to", () => {
  const budget = { over: true, why: "10 of 10 tokens are used", until: at(-9), since: at(2) };
  expect(kinds(of({ proposedCriteria: 2, staleProofs: 1, budget, failed: [trouble] }))).toEqual([
    "failed",
    "stale_proof",
    "proposals",
    "budget",
  ]);
  expect(of({ budget })).toMatchObject([
    { text: "nothing more is said to its worker: 10 of 10 tokens are used", since: at(2), resets_at: at(-9) },
  ]);
  expect(of({ boundAt: null, sides: [] })).toMatchObject([{ kind: "unbound" }]);
});

test("what presses most comes first, and of one kind what has lasted longest", () => {
  const drafts = of({
    dispatch: false,
    queued: 1,
    queuedSince: at(1),
    proposedCriteria: 1,
    uncertain: [trouble, { ...trouble, id: "command:3", at: at(50) }],
    sides: [side({ asks: [asked] }), manager({ page: "folder_trust" })],
  });
  const items = drafts.map((draft) => itemOf(draft, calm.task, null)).sort(byPressure);
  expect(items.map(({ kind, id }) => (kind === "uncertain" ? id : kind))).toEqual([
    "question",
    "trust",
    "command:3",
    "command:1",
    "no_dispatch",
    "proposals",
  ]);
  const weights = KINDS.map(weightOf);
  expect(weights).toEqual(weights.toSorted());
});

test("an item has the name of its sighting, or of the fact that happens once", () => {
  const [draft] = withSide({ page: "sign_in" });
  const seen = { id: "seen-1", began_at: at(77) };
  expect(itemOf(draft!, calm.task, seen)).toMatchObject({
    id: "seen-1",
    since: at(77),
    weight: "now",
    task: "a b",
    task_id: "task-1",
    host: null,
  });
  expect(itemOf(draft!, null, null)).toMatchObject({ id: `w1 ${draft!.key}`, since: null, task: null, task_id: null });
  expect(itemOf(withSide({ asks: [asked] })[0]!, calm.task, null)).toMatchObject({ id: "ask-1", since: at(3) });
});
