/** The actions of a task's page, and the dialogs that ask for what they need. */
import { DECISIONS } from "../../core/tasks/decision.ts";
import type { Bindable, BoundParty, Card } from "../cards.ts";
import type { Form } from "./forms.tsx";

/** A dialog to show: a form, or the one that finishes a task. */
export type Dialog = Form | { readonly finish: Card };

interface TaskAction {
  readonly name: string;
  readonly key?: string;
  readonly danger?: boolean;
  readonly form?: Dialog;
  /** Sent at once with the task. */
  readonly action?: string;
}

const over = (card: Card): boolean => card.task.state === "done" || card.task.state === "failed";

/** What can be done with the task as it stands now. */
export function actionsOf(card: Card): TaskAction[] {
  const exported = { name: "Export", action: "export" };
  if (over(card)) return [exported];
  const bound = card.bindingId !== null;
  return [
    ...(bound && card.worker ? [{ name: "Message worker", key: "m", form: messageForm(card, card.worker) }] : []),
    ...(bound ? [{ name: "Look now", key: "c", action: "cycle" }] : []),
    { name: "Decide", key: "d", form: decideForm(card) },
    exported,
    { name: "Finish", key: "f", form: { finish: card } },
    ...(bound ? [{ name: "Unbind", danger: true, form: unbindForm(card) }] : []),
    { name: "Give up", danger: true, form: stopForm(card) },
  ];
}

export const messageForm = (card: Card, party: BoundParty): Form => ({
  title: `Message to ${party.name}`,
  action: "message",
  fixed: { task: card.task.id, session: party.name, to: party.role },
  fields: [
    { name: "message", label: "Message", kind: "long" },
    {
      name: "how",
      label: "How",
      kind: "choice",
      choices: [
        ["now", "now, looking for the proof"],
        ["queue", "through Dispatch, as the other side would"],
      ],
    },
  ],
  button: "Send",
});

export const interruptForm = (party: BoundParty): Form => ({
  title: `Interrupt ${party.name}?`,
  action: "interrupt",
  fixed: { session: party.name },
  fields: [{ name: "followup", label: "Say afterwards", kind: "long", optional: true }],
  button: "Interrupt",
  danger: true,
  warning: `What ${party.name} does right now is broken off. The session goes on; an idle one is left alone.`,
});

/** One that leads other tasks too goes on. */
const endsManager = (card: Card): boolean => Boolean(card.manager?.tmux) && card.leads.length === 0;

const stopForm = (card: Card): Form => ({
  title: `Give ${card.task.name} up?`,
  action: "stop",
  fixed: { task: card.task.id },
  fields: [
    ...(card.worker
      ? [{ name: "stopWorker", label: `Also end the terminal of ${card.worker.name}, the worker`, kind: "check" as const }]
      : []),
    { name: "reason", label: "Reason", optional: true },
  ],
  button: "Give up",
  danger: true,
  warning:
    `The task ends without its gates${endsManager(card) ? `, and the terminal of ${card.manager!.name}, the manager, is ended` : ""}. ` +
    "This cannot be taken back.",
});

/** @param cwd where the dashboard runs, as a first guess; @param task one that is there already */
export const pairForm = (cwd: string, task: string | null, done: (id: string) => void): Form => ({
  title: task === null ? "Start a pair" : `Start a pair for ${task}`,
  action: "pair",
  ...(task !== null && { fixed: { task } }),
  fields: [
    ...(task === null
      ? [
          { name: "task", label: "Task", help: "A new name, or one that is there." },
          { name: "goal", label: "Goal", kind: "long" as const, optional: true, help: "Needed for a new task." },
        ]
      : []),
    { name: "prompt", label: "First words to the worker", kind: "long", optional: true },
    { name: "workerName", label: "Worker" },
    { name: "managerName", label: "Manager" },
    { name: "crew", label: "The manager runs already, and leads this worker too", kind: "check" },
    { name: "cwd", label: "Folder", value: cwd },
    { name: "acceptTrust", label: "Answer Codex's question whether to trust the folder with yes", kind: "check" },
    { name: "dispatch", label: "Start a Dispatch beside them", kind: "check", value: "true" },
  ],
  button: "Start",
  warning: "Two Codex sessions are started in tmux. They may run commands without asking.",
  done: (result) => done((result as { id: string }).id),
});

const decideForm = (card: Card): Form => ({
  title: "Record a decision",
  action: "decide",
  fixed: { task: card.task.id },
  fields: [
    { name: "decision", label: "Decision", kind: "choice", choices: DECISIONS.map((decision) => [decision, decision] as const) },
    { name: "reason", label: "Reason", kind: "long" },
  ],
  button: "Record",
});

const unbindForm = (card: Card): Form => ({
  title: `Unbind ${card.task.name}?`,
  action: "unbind",
  fixed: { task: card.task.id },
  fields: [],
  button: "Unbind",
  danger: true,
  warning:
    `${[card.worker?.name, card.manager?.name].filter(Boolean).join(" and ")} no longer work together on ${card.task.name}. Both ` +
    "sessions go on running.",
});

/** Null when there is nobody to bind. */
export function bindForm(card: Card, free: readonly Bindable[]): Form | null {
  const named = ({ name, leads }: Bindable) => [name, leads === 0 ? name : `${name}, which leads ${leads} already`] as const;
  const of = (role: string) => free.filter((each) => each.role === role).map(named);
  const [workers, managers] = [of("worker"), of("manager")];
  if (over(card) || workers.length === 0 || managers.length === 0) return null;
  return {
    title: `Bind a pair to ${card.task.name}`,
    action: "bind",
    fixed: { task: card.task.id },
    fields: [
      { name: "worker", label: "Worker", kind: "choice", choices: workers },
      { name: "manager", label: "Manager", kind: "choice", choices: managers },
      ...(free.some(({ leads }) => leads > 0)
        ? [{ name: "crew", label: "The manager may lead others, and leads this worker too", kind: "check" as const }]
        : []),
    ],
    button: "Bind",
  };
}
