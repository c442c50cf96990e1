/** The table of all commands, by subject. An action of a group is named `group action`; an alias is another key with the same `load`. */
import type { Listed } from "./args/help.ts";
import type { Verb } from "./args/spec.ts";

type Load = () => Promise<{ default: Verb }>;

export interface Entry {
  readonly summary: string;
  /** Absent for the head of a group of actions. */
  readonly load?: Load;
}

const verb = (summary: string, load?: Load): Entry => ({ summary, ...(load && { load }) });

/** Heading of the top help page → its commands, in the order of the page. The headings are the subjects: the folders of `src/commands`. */
const SUBJECTS: Readonly<Record<string, Readonly<Record<string, Entry>>>> = {
  Sessions: {
    start: verb("open an agent in tmux with instructions how to become a worker", () => import("./commands/sessions/start.ts")),
    "start-test": verb("make a worker only to see whether everything works", () => import("./commands/sessions/start-test.ts")),
    discover: verb("find tasks, sessions, bindings, telemetry, and the next step", () => import("./commands/sessions/discover.ts")),
    search: verb("the same as discover", () => import("./commands/sessions/discover.ts")),
    pair: verb("start a worker and its manager on a task, bound and dispatched", () => import("./commands/sessions/pair.ts")),
    "start-worker": verb("start a session in tmux and register it as worker", () => import("./commands/sessions/start-worker.ts")),
    "start-manager": verb("start a session in tmux and register it as manager", () => import("./commands/sessions/start-manager.ts")),
    "register-worker": verb("take a running session on record as worker", () => import("./commands/sessions/register-worker.ts")),
    "register-manager": verb("take a running session on record as manager", () => import("./commands/sessions/register-manager.ts")),
    deregister: verb("mark a session as gone", () => import("./commands/sessions/deregister.ts")),
    sessions: verb("registered sessions and how each is reached", () => import("./commands/sessions/sessions.ts")),
    bind: verb("join a worker and a manager on a task", () => import("./commands/sessions/bind.ts")),
    unbind: verb("end the binding of a task", () => import("./commands/sessions/unbind.ts")),
    crew: verb("who works for a manager, and how each stands", () => import("./commands/sessions/crew.ts")),
    open: verb("a terminal window on a worker or session", () => import("./commands/sessions/open.ts")),
    "open-worker": verb("a terminal window on a task's worker", () => import("./commands/sessions/open-worker.ts")),
    "open-manager": verb("a terminal window on a task's manager", () => import("./commands/sessions/open-manager.ts")),
    stop: verb("end the terminal of a worker or a session", () => import("./commands/sessions/stop.ts")),
    revive: verb("bring back who ended unasked, on their own conversations", () => import("./commands/sessions/revive.ts")),
    reconcile: verb("find sessions and bindings that have died, and mark them", () => import("./commands/sessions/reconcile.ts")),
  },
  Observe: {
    ingest: verb("read what a session's rollout has gained", () => import("./commands/observe/ingest.ts")),
    tail: verb("the newest stored records of a session", () => import("./commands/observe/tail.ts")),
    cycle: verb("observe a bound task once, for its manager", () => import("./commands/observe/cycle.ts")),
    "idle-check": verb("whether a worker gets on, waits, or went quiet", () => import("./commands/observe/idle-check.ts")),
    capture: verb("record a terminal's screen", () => import("./commands/observe/capture.ts")),
    "transcript-capture": verb("keep what is new on a task's terminals", () => import("./commands/observe/transcript-capture.ts")),
    "transcript-show": verb("what was kept of a task's terminals", () => import("./commands/observe/transcript-show.ts")),
    "transcript-prune": verb("drop the text of old transcript segments", () => import("./commands/observe/transcript-prune.ts")),
    classify: verb("what the text of a screen says about a worker", () => import("./commands/observe/classify.ts")),
  },
  Delivery: {
    "session-nudge": verb("say something to a registered session, with proof", () => import("./commands/delivery/session-nudge.ts")),
    "session-interrupt": verb("interrupt what a registered session does", () => import("./commands/delivery/session-interrupt.ts")),
    nudge: verb("say something to a worker or a session", () => import("./commands/delivery/nudge.ts")),
    interrupt: verb("interrupt a worker or a session and ask it to pause", () => import("./commands/delivery/interrupt.ts")),
    answer: verb("answer what a session asks", () => import("./commands/delivery/answer.ts")),
    deliveries: verb("what was sent, how, with what proof, and what is still uncertain", () => import("./commands/delivery/deliveries.ts")),
  },
  Attention: {
    attention: verb("everything that needs a person, the most pressing first", () => import("./commands/attention/attention.ts")),
    notify: verb("rules by which a person is told of what needs them"),
    "notify add": verb("be told by a bell, the desktop or a program", () => import("./commands/attention/notify-add.ts")),
    "notify list": verb("the rules, and how they went", () => import("./commands/attention/notify-list.ts")),
    "notify remove": verb("take a rule away", () => import("./commands/attention/notify-remove.ts")),
    "notify test": verb("carry a rule out now", () => import("./commands/attention/notify-test.ts")),
    limits: verb("how much of their limits the accounts have used, and who is at one", () => import("./commands/attention/limits.ts")),
    budget: verb("what a task may use before its worker is told nothing more", () => import("./commands/attention/budget.ts")),
    wait: verb("wait until a session or a task rests, asks, fails, ends …", () => import("./commands/attention/wait.ts")),
  },
  Dispatch: {
    "enqueue-notify-manager": verb(
      "queue a message for the manager of a task",
      () => import("./commands/dispatch/enqueue-notify-manager.ts"),
    ),
    "enqueue-nudge-worker": verb("queue a message for the worker of a task", () => import("./commands/dispatch/enqueue-nudge-worker.ts")),
    "enqueue-continue-iteration": verb(
      "queue the next iteration of a loop",
      () => import("./commands/dispatch/enqueue-continue-iteration.ts"),
    ),
    "worker-inbox": verb("what waits for the worker of a task", () => import("./commands/dispatch/worker-inbox.ts")),
    "manager-inbox": verb("what waits for the manager of a task", () => import("./commands/dispatch/manager-inbox.ts")),
    "session-inbox": verb("what waits for a session", () => import("./commands/dispatch/session-inbox.ts")),
    dispatch: verb("carry messages and ended turns to the sessions they are for", () => import("./commands/dispatch/dispatch.ts")),
    commands: verb("queued and recorded commands with their attempts", () => import("./commands/dispatch/commands.ts")),
  },
  Tasks: {
    tasks: verb("list tasks, or create one", () => import("./commands/tasks/tasks.ts")),
    "request-worker-compact": verb(
      "have a worker compact or clear its context",
      () => import("./commands/tasks/request-worker-compact.ts"),
    ),
    "compact-worker": verb("decide on a compaction and request it", () => import("./commands/tasks/compact-worker.ts")),
    criteria: verb("the acceptance ledger: list, add, accept, satisfy, defer, reject", () => import("./commands/tasks/criteria.ts")),
    "criteria-plan": verb("suggest criteria from a worker's answer", () => import("./commands/tasks/criteria-plan.ts")),
    handoff: verb("save a worker's progress summary", () => import("./commands/tasks/handoff.ts")),
    "worker-ack": verb("record or read the worker's acknowledgement", () => import("./commands/tasks/worker-ack.ts")),
    "manager-ack": verb("record or read the manager's acknowledgement", () => import("./commands/tasks/manager-ack.ts")),
    "manager-config": verb("how a task is supervised, and what its manager may do", () => import("./commands/tasks/manager-config.ts")),
    "manager-permission": verb("ask whether the manager may do something", () => import("./commands/tasks/manager-permission.ts")),
    epilogue: verb("closing steps: run one, or see how they stand", () => import("./commands/tasks/epilogue.ts")),
    continuation: verb("independent proposals of the next step, and their review", () => import("./commands/tasks/continuation.ts")),
    "continuation-reviewer": verb(
      "let an isolated process compare the proposals of a turn",
      () => import("./commands/tasks/continuation-reviewer.ts"),
    ),
    "record-decision": verb("record what the manager decided, and why", () => import("./commands/tasks/record-decision.ts")),
    "finish-task": verb("close a task behind its gates, and stop its sessions", () => import("./commands/tasks/finish-task.ts")),
    "stop-task": verb("give a task up, and stop its manager", () => import("./commands/tasks/stop-task.ts")),
    "mutation-audit": verb("were commands that change something decided first", () => import("./commands/tasks/mutation-audit.ts")),
  },
  Loops: {
    "loop-templates": verb("built-in loop templates, and policies made from them", () => import("./commands/loops/loop-templates.ts")),
    "ralph-loop-presets": verb("the loop templates under their older name", () => import("./commands/loops/ralph-loop-presets.ts")),
    "loop-status": verb("how a loop run stands and what is missing", () => import("./commands/loops/loop-status.ts")),
    "loop-evidence": verb("evidence for an iteration of a loop"),
    "loop-evidence add": verb("record evidence of any type", () => import("./commands/loops/loop-evidence-add.ts")),
    "loop-evidence visual-diff": verb(
      "compare a screenshot with a reference picture",
      () => import("./commands/loops/loop-evidence-visual-diff.ts"),
    ),
    "loop-evidence adversarial-check": verb(
      "record an attempt to disprove",
      () => import("./commands/loops/loop-evidence-adversarial-check.ts"),
    ),
    evidence: verb("commands run here as proof of a criterion"),
    "evidence run": verb("run a command and record it as proof", () => import("./commands/loops/evidence-run.ts")),
    "evidence list": verb("what was run for a task", () => import("./commands/loops/evidence-list.ts")),
    "create-disposable-binding": verb(
      "a task and two polling sessions, bound at once",
      () => import("./commands/loops/create-disposable-binding.ts"),
    ),
    "loop-triggers": verb("phrases that create loop policy or gates", () => import("./commands/loops/loop-triggers.ts")),
    runs: verb("create, list, show and end runs", () => import("./commands/loops/runs.ts")),
  },
  Audit: {
    prune: verb("drop the text of old captures", () => import("./commands/audit/prune.ts")),
    events: verb("the log of a worker or session", () => import("./commands/audit/events.ts")),
    audit: verb("everything on record about a task", () => import("./commands/audit/audit.ts")),
    replay: verb("what happened on a task, in the order of time", () => import("./commands/audit/replay.ts")),
    "export-task": verb("everything about a task as files, with a manifest", () => import("./commands/audit/export-task.ts")),
    verify: verb("is an export still what was exported", () => import("./commands/audit/verify.ts")),
  },
  Reports: {
    divergences: verb("cycles whose screen said something else", () => import("./commands/reports/divergences.ts")),
    telemetry: verb("events, sums, and judged views of what happened", () => import("./commands/reports/telemetry.ts")),
    doctor: verb("whether this machine has what the tool needs", () => import("./commands/reports/doctor.ts")),
    "doctor-self": verb("whether the session this runs in can be registered", () => import("./commands/reports/doctor-self.ts")),
    agents: verb("which agents are installed here, and what can be done with them", () => import("./commands/agents.ts")),
    "db-doctor": verb("check the database, and with --live the sessions it names", () => import("./commands/reports/db-doctor.ts")),
  },
  Worktrees: {
    worktrees: verb("git worktrees of workers, and what is in each", () => import("./commands/worktrees/worktrees.ts")),
    "worktree-remove": verb("take a worktree away, and keep what is in it", () => import("./commands/worktrees/worktree-remove.ts")),
    "worktree-restore": verb("bring back what a removal has kept", () => import("./commands/worktrees/worktree-restore.ts")),
    land: verb("merge a worker's branch, proven on the merge", () => import("./commands/worktrees/land.ts")),
  },
  Dashboard: {
    dashboard: verb("the page in the browser: every pair live, terminals, actions", () => import("./commands/dashboard.ts")),
  },
  QA: {
    demo: verb("try the main job here, with the real agents and without an account", () => import("./commands/qa/demo.ts")),
    "qa-plan": verb("checklists for trying a scenario by hand", () => import("./commands/qa/qa-plan.ts")),
    "qa-run": verb("drills with real commands and a receipt", () => import("./commands/qa/qa-run.ts")),
  },
  Compat: {
    create: verb("make a worker that reports through update-status", () => import("./commands/compat/create.ts")),
    list: verb("workers and sessions, whether they run, what they report", () => import("./commands/compat/list.ts")),
    status: verb("what a worker reports, and its terminal", () => import("./commands/compat/status.ts")),
    "update-status": verb("report of a worker on itself", () => import("./commands/compat/update-status.ts")),
    "import-compat": verb("bring workers kept in files into the database", () => import("./commands/compat/import-compat.ts")),
  },
  "The tool itself": {
    "install-skills": verb("install the bundled skills for Codex or Claude Code", () => import("./commands/install-skills.ts")),
    completion: verb("shell completion for bash, zsh and fish", () => import("./commands/completion.ts")),
  },
};

/** Started by other commands: found by name, and offered to nobody. */
const HIDDEN: Readonly<Record<string, Entry>> = {
  "codex-pane": verb("what the pane of a session runs that is spoken to by protocol", () => import("./commands/sessions/codex-pane.ts")),
  "evidence-told": verb("a run that a worker made in its sandbox", () => import("./commands/loops/evidence-told.ts")),
};

const VERBS: Readonly<Record<string, Entry>> = Object.assign({}, HIDDEN, ...Object.values(SUBJECTS));

export const findVerb = (name: string): Entry | undefined => (Object.hasOwn(VERBS, name) ? VERBS[name] : undefined);

export const isGroup = (name: string): boolean => findVerb(name) !== undefined && VERBS[name]!.load === undefined;

/** The actions of a group, named by their last word. */
export const actionsOf = (group: string): Listed[] =>
  Object.entries(VERBS)
    .filter(([name]) => name.startsWith(`${group} `))
    .map(([name, { summary }]) => ({ name: name.slice(group.length + 1), group: "Actions", summary }));

/** First words: what can stand right after the program's name. */
export const verbNames = (): string[] => Object.keys(VERBS).filter((name) => !name.includes(" ") && !Object.hasOwn(HIDDEN, name));

/** What the top help page lists, group by group. */
export const listed = (): Listed[] =>
  Object.entries(SUBJECTS).flatMap(([group, verbs]) =>
    Object.entries(verbs)
      .filter(([name]) => !name.includes(" "))
      .map(([name, { summary }]) => ({ name, group, summary })),
  );
