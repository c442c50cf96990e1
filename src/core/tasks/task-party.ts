/** The worker or manager of a task as something that can be stopped: a registered session, or a row of the oldest releases. */
import type { Role, Session } from "../sessions/session.ts";

export interface TaskParty {
  readonly role: Role;
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly tmuxSession: string | null;
  readonly paneId: string | null;
  /** null for a row of `workers` or `managers`. */
  readonly session: Session | null;
}

export interface TaskParties {
  readonly worker: TaskParty | null;
  readonly manager: TaskParty | null;
}

/** Whether it counts as running on record. */
export const isOnRecord = ({ session, state }: TaskParty): boolean =>
  session ? state === "active" : !["stopped", "missing", "failed"].includes(state);
