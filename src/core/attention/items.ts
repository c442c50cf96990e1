/** Everything in a task that needs a person: its sessions, its messages, its Dispatch, its criteria and what it may use. */
import { instant, olderThan, toIso } from "../time.ts";
import type { Draft, Kind } from "./item.ts";
import { sessionDrafts, turnEnded } from "./session-items.ts";
import type { Moment, SideState, TaskSituation, Trouble } from "./situation.ts";

const count = (n: number, one: string, many: string): string => (n === 1 ? `1 ${one}` : `${n} ${many}`);

const ofTask = {
  session: null,
  agent: null,
  command: null,
  file: null,
  choices: null,
  since: null,
  resets_at: null,
  lasting: false,
} as const;

const ofTrouble = ({ id, at, error }: Trouble, kind: Kind, words: string, task: string): Draft => ({
  ...ofTask,
  kind,
  key: id,
  lasting: true,
  text: `${words}${error ? `: ${error}` : ""}`,
  since: at,
  actions: [{ label: "see what was tried", command: ["conveyor", "commands", "--task", task, "--attempts"] }],
});

function messages({ uncertain, failed, task: { name } }: TaskSituation): Draft[] {
  return [
    ...uncertain.map((each) => ofTrouble(each, "uncertain", `${each.what} was sent, but nothing proves that it arrived`, name)),
    ...failed.map((each) =>
      each.state === "blocked"
        ? ofTrouble(each, "blocked", `${each.what} is blocked`, name)
        : ofTrouble(each, "failed", `${each.what} failed`, name),
    ),
  ];
}

function dispatching({ boundAt, dispatch, queued, untold, queuedSince }: TaskSituation): Draft[] {
  if (boundAt === null || dispatch) return [];
  const actions = [{ label: "run it", command: ["conveyor", "dispatch", "--watch"] }];
  const waiting = queued + untold;
  if (waiting === 0)
    return [
      { ...ofTask, kind: "dispatch", key: "dispatch", text: "no Dispatch is running, so the manager hears of nothing by itself", actions },
    ];
  const text = `${count(waiting, "message waits", "messages wait")}, and no Dispatch is running`;
  return [{ ...ofTask, kind: "no_dispatch", key: "no_dispatch", text, since: queuedSince, actions }];
}

/** Rests after its turn, where nothing has to be done first before it can go on. */
const rests = ({ alive, turn }: SideState): boolean => alive !== false && (turn === "completed" || turn === "aborted");

/** Since when both rest, and nobody has anything for them; null: that is not so. */
export function restsSince({ sides, boundAt, task, queued, underWay }: TaskSituation): string | null {
  if (boundAt === null || task.state === "paused" || sides.length < 2 || queued > 0 || underWay > 0) return null;
  if (!sides.every(rests)) return null;
  return toIso(Math.max(...[boundAt, ...sides.map(({ turnAt }) => turnAt)].map((at) => instant(at) ?? 0)));
}

function stalled(s: TaskSituation, { nowMs, stalledAfterSeconds }: Moment): Draft[] {
  const { sides, task } = s;
  const since = restsSince(s);
  if (since === null || !olderThan(since, stalledAfterSeconds, nowMs)) return [];
  return [
    {
      ...ofTask,
      kind: "stalled",
      key: `stalled ${since}`,
      text: `${sides.map(({ name }) => name).join(" and ")} rest, nothing is queued, and the task is open`,
      since,
      actions: [
        { label: "look at the task", command: ["conveyor", "cycle", task.name] },
        { label: "say something to the worker", command: ["conveyor", "enqueue-nudge-worker", task.name, "--message", "TEXT"] },
      ],
    },
  ];
}

function rest({ task, boundAt, staleProofs, proposedCriteria, budget }: TaskSituation): Draft[] {
  const criteria = [{ label: "see the criteria", command: ["conveyor", "criteria", task.name, "--list"] }];
  const drafts: Draft[] = [];
  if (staleProofs > 0) {
    const text = `${count(staleProofs, "criterion has", "criteria have")} a machine's proof that no longer fits the tree`;
    drafts.push({ ...ofTask, kind: "stale_proof", key: "stale_proof", text, actions: criteria });
  }
  if (proposedCriteria > 0) {
    const text = `${count(proposedCriteria, "criterion is", "criteria are")} proposed and not yet judged`;
    drafts.push({ ...ofTask, kind: "proposals", key: "proposals", text, actions: criteria });
  }
  if (budget.over)
    drafts.push({
      ...ofTask,
      kind: "budget",
      key: "budget",
      text: `nothing more is said to its worker: ${budget.why}`,
      since: budget.since,
      resets_at: budget.until,
      actions: [{ label: "see what it has used", command: ["conveyor", "budget", task.name, "--show"] }],
    });
  if (boundAt === null && task.state === "managed")
    drafts.push({
      ...ofTask,
      kind: "unbound",
      key: "unbound",
      text: "nobody is bound to it any more",
      actions: [
        { label: "bind a pair", command: ["conveyor", "bind", "--task", task.name, "--worker", "NAME", "--manager", "NAME"] },
        { label: "give it up", command: ["conveyor", "stop-task", task.name] },
      ],
    });
  return drafts;
}

/** Everything that needs a person, apart from what was put away. Accepted criteria that are open while work goes on do not. */
export function taskDrafts(s: TaskSituation, moment: Moment): Draft[] {
  const inSessions = s.sides.flatMap((side) => sessionDrafts(side, s.task).map((draft) => ({ side: side.id, draft })));
  const own = inSessions.flatMap(({ side, draft }) => (side === s.toldElsewhere ? [] : draft));
  const [only, other] = s.sides;
  const alone = only !== undefined && other === undefined && inSessions.length === 0 ? turnEnded(only, s.boundAt, s.task) : [];
  // Whatever presses in one of them is why they rest.
  const lost = inSessions.length === 0 ? stalled(s, moment) : [];
  return [...own, ...alone, ...messages(s), ...dispatching(s), ...lost, ...rest(s)].filter(({ key }) => !s.dismissed.includes(key));
}
