/** The actions of a task's page, and the dialogs that ask for what they need. */
import { DECISIONS } from "../core/decision.ts";
import type { BoundParty, Card } from "./cards.ts";
import type { Form } from "./page-forms.tsx";

export interface TaskAction {
  readonly name: string;
  readonly key?: string;
  readonly danger?: boolean;
  readonly form?: Form;
  /** Sent at once with the task. */
  readonly action?: string;
}

const over = (card: Card): boolean => card.task.state === "done" || card.task.state === "failed";

/** What can be done with the task as it stands now. */
export function actionsOf(card: Card): TaskAction[] {
  if (over(card)) return [];
  const bound = card.bindingId !== null;
  return [
    ...(bound && card.worker ? [{ name: "Message worker", key: "m", form: messageForm(card, card.worker) }] : []),
    ...(bound ? [{ name: "Look now", key: "c", action: "cycle" }] : []),
    { name: "Decide", key: "d", form: decideForm(card) },
    ...(bound ? [{ name: "Unbind", danger: true, form: unbindForm(card) }] : []),
  ];
}

export const messageForm = (card: Card, party: BoundParty): Form => ({
  title: `Message to ${party.name}`,
  action: "queue",
  fixed: { task: card.task.id, to: party.role },
  fields: [{ name: "message", label: "Message", kind: "long" }],
  button: "Send through Dispatch",
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
  warning: `${[card.worker?.name, card.manager?.name].filter(Boolean).join(" and ")} no longer work together on ${card.task.name}. Both sessions go on running.`,
});

/** Null when there is nobody to bind. */
export function bindForm(card: Card, free: readonly { name: string; role: string }[]): Form | null {
  const of = (role: string) => free.filter((each) => each.role === role).map(({ name }) => [name, name] as const);
  const [workers, managers] = [of("worker"), of("manager")];
  if (over(card) || workers.length === 0 || managers.length === 0) return null;
  return {
    title: `Bind a pair to ${card.task.name}`,
    action: "bind",
    fixed: { task: card.task.id },
    fields: [
      { name: "worker", label: "Worker", kind: "choice", choices: workers },
      { name: "manager", label: "Manager", kind: "choice", choices: managers },
    ],
    button: "Bind",
  };
}
