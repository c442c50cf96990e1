/** The table of all commands. An action of a group is named `group action`; an alias is another key with the same `load`. */
import type { Listed } from "./args/help.ts";
import type { Verb } from "./args/spec.ts";

export interface Entry {
  readonly group: string;
  readonly summary: string;
  /** Absent for the head of a group of actions. */
  readonly load?: () => Promise<{ default: Verb }>;
}

/** Headings of the top help page, in its order. */
const G = {
  start: "Start and find",
  records: "Tasks, sessions, bindings",
  observe: "Observe",
  speak: "Speak",
  dispatch: "Dispatch",
  contract: "Criteria and agreements",
  loops: "Loops and evidence",
  history: "What happened",
  tool: "The tool itself",
} as const;

const VERBS: Readonly<Record<string, Entry>> = {
  // start and find
  start: {
    group: G.start,
    summary: "open Codex in tmux with instructions how to become a worker",
    load: () => import("./commands/sessions/start.ts"),
  },
  create: {
    group: G.start,
    summary: "make a worker that reports through update-status",
    load: () => import("./commands/compat/create.ts"),
  },
  "start-test": {
    group: G.start,
    summary: "make a worker only to see whether everything works",
    load: () => import("./commands/sessions/start-test.ts"),
  },
  discover: {
    group: G.start,
    summary: "find tasks, sessions, bindings, telemetry, and the next step",
    load: () => import("./commands/sessions/discover.ts"),
  },
  search: { group: G.start, summary: "the same as discover", load: () => import("./commands/sessions/discover.ts") },
  pair: {
    group: G.start,
    summary: "start a worker and its manager on a task, bound and dispatched",
    load: () => import("./commands/sessions/pair.ts"),
  },
  "start-worker": {
    group: G.start,
    summary: "start a Codex session in tmux and register it as worker",
    load: () => import("./commands/sessions/start-worker.ts"),
  },
  "start-manager": {
    group: G.start,
    summary: "start a Codex session in tmux and register it as manager",
    load: () => import("./commands/sessions/start-manager.ts"),
  },

  demo: {
    group: G.start,
    summary: "try the main job here, with the real Codex and without an account",
    load: () => import("./commands/qa/demo.ts"),
  },

  // tasks, sessions, bindings
  tasks: { group: G.records, summary: "list tasks, or create one", load: () => import("./commands/tasks/tasks.ts") },
  "register-worker": {
    group: G.records,
    summary: "take a running Codex session on record as worker",
    load: () => import("./commands/sessions/register-worker.ts"),
  },
  "register-manager": {
    group: G.records,
    summary: "take a running Codex session on record as manager",
    load: () => import("./commands/sessions/register-manager.ts"),
  },
  deregister: { group: G.records, summary: "mark a session as gone", load: () => import("./commands/sessions/deregister.ts") },
  sessions: {
    group: G.records,
    summary: "registered sessions and how each is reached",
    load: () => import("./commands/sessions/sessions.ts"),
  },
  bind: { group: G.records, summary: "join a worker and a manager on a task", load: () => import("./commands/sessions/bind.ts") },
  unbind: { group: G.records, summary: "end the binding of a task", load: () => import("./commands/sessions/unbind.ts") },

  // observe
  dashboard: {
    group: G.observe,
    summary: "the page in the browser: every pair live, terminals, actions",
    load: () => import("./commands/dashboard.ts"),
  },
  ingest: { group: G.observe, summary: "read what a session's rollout has gained", load: () => import("./commands/observe/ingest.ts") },
  tail: { group: G.observe, summary: "the newest stored records of a session", load: () => import("./commands/observe/tail.ts") },
  cycle: { group: G.observe, summary: "observe a bound task once, for its manager", load: () => import("./commands/observe/cycle.ts") },
  divergences: {
    group: G.observe,
    summary: "cycles whose screen said something else",
    load: () => import("./commands/reports/divergences.ts"),
  },
  list: {
    group: G.observe,
    summary: "workers and sessions, whether they run, what they report",
    load: () => import("./commands/compat/list.ts"),
  },
  status: { group: G.observe, summary: "what a worker reports, and its terminal", load: () => import("./commands/compat/status.ts") },
  "idle-check": {
    group: G.observe,
    summary: "whether a worker gets on, waits, or went quiet",
    load: () => import("./commands/observe/idle-check.ts"),
  },
  "update-status": { group: G.observe, summary: "report of a worker on itself", load: () => import("./commands/compat/update-status.ts") },
  capture: { group: G.observe, summary: "record a terminal's screen", load: () => import("./commands/observe/capture.ts") },
  prune: { group: G.observe, summary: "drop the text of old captures", load: () => import("./commands/audit/prune.ts") },
  events: { group: G.observe, summary: "the log of a worker or session", load: () => import("./commands/audit/events.ts") },
  "transcript-capture": {
    group: G.observe,
    summary: "keep what is new on a task's terminals",
    load: () => import("./commands/observe/transcript-capture.ts"),
  },
  "transcript-show": {
    group: G.observe,
    summary: "what was kept of a task's terminals",
    load: () => import("./commands/observe/transcript-show.ts"),
  },
  "transcript-prune": {
    group: G.observe,
    summary: "drop the text of old transcript segments",
    load: () => import("./commands/observe/transcript-prune.ts"),
  },
  open: { group: G.observe, summary: "a terminal window on a worker or session", load: () => import("./commands/sessions/open.ts") },
  "open-worker": {
    group: G.observe,
    summary: "a terminal window on a task's worker",
    load: () => import("./commands/sessions/open-worker.ts"),
  },
  "open-manager": {
    group: G.observe,
    summary: "a terminal window on a task's manager",
    load: () => import("./commands/sessions/open-manager.ts"),
  },
  classify: {
    group: G.observe,
    summary: "what the text of a screen says about a worker",
    load: () => import("./commands/observe/classify.ts"),
  },

  // speak
  "session-nudge": {
    group: G.speak,
    summary: "say something to a registered session, with proof",
    load: () => import("./commands/delivery/session-nudge.ts"),
  },
  "session-interrupt": {
    group: G.speak,
    summary: "interrupt what a registered session does",
    load: () => import("./commands/delivery/session-interrupt.ts"),
  },
  nudge: { group: G.speak, summary: "say something to a worker or a session", load: () => import("./commands/delivery/nudge.ts") },
  interrupt: {
    group: G.speak,
    summary: "interrupt a worker or a session and ask it to pause",
    load: () => import("./commands/delivery/interrupt.ts"),
  },
  stop: { group: G.speak, summary: "end the terminal of a worker or a session", load: () => import("./commands/sessions/stop.ts") },
  deliveries: {
    group: G.speak,
    summary: "what was sent, how, with what proof, and what is still uncertain",
    load: () => import("./commands/dispatch/deliveries.ts"),
  },
  "request-worker-compact": {
    group: G.speak,
    summary: "have a worker compact or clear its context",
    load: () => import("./commands/tasks/request-worker-compact.ts"),
  },
  "compact-worker": {
    group: G.speak,
    summary: "decide on a compaction and request it",
    load: () => import("./commands/tasks/compact-worker.ts"),
  },

  // Dispatch
  "enqueue-notify-manager": {
    group: G.dispatch,
    summary: "queue a message for the manager of a task",
    load: () => import("./commands/dispatch/enqueue-notify-manager.ts"),
  },
  "enqueue-nudge-worker": {
    group: G.dispatch,
    summary: "queue a message for the worker of a task",
    load: () => import("./commands/dispatch/enqueue-nudge-worker.ts"),
  },
  "enqueue-continue-iteration": {
    group: G.dispatch,
    summary: "queue the next iteration of a loop",
    load: () => import("./commands/dispatch/enqueue-continue-iteration.ts"),
  },
  "worker-inbox": {
    group: G.dispatch,
    summary: "what waits for the worker of a task",
    load: () => import("./commands/dispatch/worker-inbox.ts"),
  },
  "manager-inbox": {
    group: G.dispatch,
    summary: "what waits for the manager of a task",
    load: () => import("./commands/dispatch/manager-inbox.ts"),
  },
  "session-inbox": { group: G.dispatch, summary: "what waits for a session", load: () => import("./commands/dispatch/session-inbox.ts") },
  dispatch: {
    group: G.dispatch,
    summary: "carry messages and ended turns to the sessions they are for",
    load: () => import("./commands/dispatch/dispatch.ts"),
  },
  commands: {
    group: G.dispatch,
    summary: "queued and recorded commands with their attempts",
    load: () => import("./commands/dispatch/commands.ts"),
  },

  // criteria and agreements
  criteria: {
    group: G.contract,
    summary: "the acceptance ledger: list, add, accept, satisfy, defer, reject",
    load: () => import("./commands/tasks/criteria.ts"),
  },
  "criteria-plan": {
    group: G.contract,
    summary: "suggest criteria from a worker's answer",
    load: () => import("./commands/tasks/criteria-plan.ts"),
  },
  handoff: { group: G.contract, summary: "save a worker's progress summary", load: () => import("./commands/tasks/handoff.ts") },
  "worker-ack": {
    group: G.contract,
    summary: "record or read the worker's acknowledgement",
    load: () => import("./commands/tasks/worker-ack.ts"),
  },
  "manager-ack": {
    group: G.contract,
    summary: "record or read the manager's acknowledgement",
    load: () => import("./commands/tasks/manager-ack.ts"),
  },
  "manager-config": {
    group: G.contract,
    summary: "how a task is supervised, and what its manager may do",
    load: () => import("./commands/tasks/manager-config.ts"),
  },
  "manager-permission": {
    group: G.contract,
    summary: "ask whether the manager may do something",
    load: () => import("./commands/tasks/manager-permission.ts"),
  },
  epilogue: {
    group: G.contract,
    summary: "closing steps: run one, or see how they stand",
    load: () => import("./commands/tasks/epilogue.ts"),
  },
  continuation: {
    group: G.contract,
    summary: "independent proposals of the next step, and their review",
    load: () => import("./commands/tasks/continuation.ts"),
  },
  "continuation-reviewer": {
    group: G.contract,
    summary: "let an isolated process compare the proposals of a turn",
    load: () => import("./commands/tasks/continuation-reviewer.ts"),
  },
  "record-decision": {
    group: G.contract,
    summary: "record what the manager decided, and why",
    load: () => import("./commands/tasks/record-decision.ts"),
  },
  "finish-task": {
    group: G.contract,
    summary: "close a task behind its gates, and stop its sessions",
    load: () => import("./commands/tasks/finish-task.ts"),
  },
  "stop-task": { group: G.contract, summary: "give a task up, and stop its manager", load: () => import("./commands/tasks/stop-task.ts") },

  // loops and evidence
  "loop-templates": {
    group: G.loops,
    summary: "built-in loop templates, and policies made from them",
    load: () => import("./commands/loops/loop-templates.ts"),
  },
  "ralph-loop-presets": {
    group: G.loops,
    summary: "the loop templates under their older name",
    load: () => import("./commands/loops/ralph-loop-presets.ts"),
  },
  "loop-status": {
    group: G.loops,
    summary: "how a loop run stands and what is missing",
    load: () => import("./commands/loops/loop-status.ts"),
  },
  "loop-evidence": { group: G.loops, summary: "evidence for an iteration of a loop" },
  "loop-evidence add": {
    group: G.loops,
    summary: "record evidence of any type",
    load: () => import("./commands/loops/loop-evidence-add.ts"),
  },
  "loop-evidence visual-diff": {
    group: G.loops,
    summary: "compare a screenshot with a reference picture",
    load: () => import("./commands/loops/loop-evidence-visual-diff.ts"),
  },
  "loop-evidence adversarial-check": {
    group: G.loops,
    summary: "record an attempt to disprove",
    load: () => import("./commands/loops/loop-evidence-adversarial-check.ts"),
  },
  evidence: { group: G.loops, summary: "commands run here as proof of a criterion" },
  "evidence run": {
    group: G.loops,
    summary: "run a command and record it as proof",
    load: () => import("./commands/loops/evidence-run.ts"),
  },
  "evidence list": { group: G.loops, summary: "what was run for a task", load: () => import("./commands/loops/evidence-list.ts") },
  "create-disposable-binding": {
    group: G.loops,
    summary: "a task and two polling sessions, bound at once",
    load: () => import("./commands/loops/create-disposable-binding.ts"),
  },
  "qa-plan": { group: G.loops, summary: "checklists for trying a scenario by hand", load: () => import("./commands/qa/qa-plan.ts") },
  "qa-run": { group: G.loops, summary: "drills with real commands and a receipt", load: () => import("./commands/qa/qa-run.ts") },
  "loop-triggers": {
    group: G.loops,
    summary: "phrases that create loop policy or gates",
    load: () => import("./commands/loops/loop-triggers.ts"),
  },

  // what happened
  audit: { group: G.history, summary: "everything on record about a task", load: () => import("./commands/audit/audit.ts") },
  "mutation-audit": {
    group: G.history,
    summary: "were commands that change something decided first",
    load: () => import("./commands/tasks/mutation-audit.ts"),
  },
  replay: { group: G.history, summary: "what happened on a task, in the order of time", load: () => import("./commands/audit/replay.ts") },
  "export-task": {
    group: G.history,
    summary: "everything about a task as files, with a manifest",
    load: () => import("./commands/audit/export-task.ts"),
  },
  verify: { group: G.history, summary: "is an export still what was exported", load: () => import("./commands/audit/verify.ts") },
  telemetry: {
    group: G.history,
    summary: "events, sums, and judged views of what happened",
    load: () => import("./commands/reports/telemetry.ts"),
  },
  runs: { group: G.history, summary: "create, list, show and end runs", load: () => import("./commands/loops/runs.ts") },

  // the tool itself
  doctor: { group: G.tool, summary: "whether this machine has what the tool needs", load: () => import("./commands/reports/doctor.ts") },
  "doctor-self": {
    group: G.tool,
    summary: "whether the session this runs in can be registered",
    load: () => import("./commands/reports/doctor-self.ts"),
  },
  "db-doctor": {
    group: G.tool,
    summary: "check the database, and with --live the sessions it names",
    load: () => import("./commands/reports/db-doctor.ts"),
  },
  reconcile: {
    group: G.tool,
    summary: "find sessions and bindings that have died, and mark them",
    load: () => import("./commands/sessions/reconcile.ts"),
  },
  "import-compat": {
    group: G.tool,
    summary: "bring workers kept in files into the database",
    load: () => import("./commands/compat/import-compat.ts"),
  },
  "install-skills": {
    group: G.tool,
    summary: "install the bundled skills for Codex or Claude Code",
    load: () => import("./commands/install-skills.ts"),
  },
  completion: { group: G.tool, summary: "shell completion for bash, zsh and fish", load: () => import("./commands/completion.ts") },
};

export const findVerb = (name: string): Entry | undefined => (Object.hasOwn(VERBS, name) ? VERBS[name] : undefined);

export const isGroup = (name: string): boolean => findVerb(name) !== undefined && VERBS[name]!.load === undefined;

/** The actions of a group, named by their last word. */
export const actionsOf = (group: string): Listed[] =>
  Object.entries(VERBS)
    .filter(([name]) => name.startsWith(`${group} `))
    .map(([name, { summary }]) => ({ name: name.slice(group.length + 1), group: "Actions", summary }));

/** First words: what can stand right after the program's name. */
export const verbNames = (): string[] => Object.keys(VERBS).filter((name) => !name.includes(" "));

/** What the top help page lists, group by group. */
export const listed = (): Listed[] => {
  const groups = new Map<string, Listed[]>(Object.values(G).map((group) => [group, []]));
  for (const [name, { group, summary }] of Object.entries(VERBS))
    if (!name.includes(" ")) groups.get(group)!.push({ name, group, summary });
  return [...groups.values()].flat();
};
