/** One thing that needs a person: its kind, how much it presses, and what leads on from it. */
import type { AskChoice } from "../agent/protocol.ts";
import { instant } from "../time.ts";

/** `now`: work stands still until somebody does something; `soon`: worth a look. */
export type Weight = "now" | "soon";

/** The most pressing first. */
const WEIGHTS = {
  question: "now",
  trust: "now",
  login: "now",
  /** A page that asks about the program itself. */
  dialog: "now",
  limit: "now",
  failed: "now",
  crashed: "now",
  gone: "now",
  /** Its pane shows another conversation. */
  moved: "now",
  uncertain: "now",
  blocked: "now",
  no_dispatch: "now",
  stalled: "soon",
  turn_ended: "soon",
  stale_proof: "soon",
  proposals: "soon",
  budget: "soon",
  /** No Dispatch runs, and nothing waits for one yet. */
  dispatch: "soon",
  /** A task that is worked on, and nobody is bound to it. */
  unbound: "soon",
} as const satisfies Readonly<Record<string, Weight>>;

export type Kind = keyof typeof WEIGHTS;

export const KINDS = Object.keys(WEIGHTS) as readonly Kind[];

export const weightOf = (kind: Kind): Weight => WEIGHTS[kind];

/** A command that leads on, as its words. */
export interface ItemAction {
  readonly label: string;
  readonly command: readonly string[];
}

/** The same with further words behind them, as which records are meant. */
export const ledBy = (actions: readonly ItemAction[], more: readonly string[]): readonly ItemAction[] =>
  actions.map(({ label, command }) => ({ label, command: [...command, ...more] }));

/** What is said of a thing, before it is named. */
export interface Draft {
  readonly kind: Kind;
  /** Names the fact. `lasting`: it happens once, and nothing else is ever called so; else it may end and come back. */
  readonly key: string;
  readonly lasting: boolean;
  readonly session: string | null;
  readonly agent: string | null;
  /** In one line, fit for a terminal. */
  readonly text: string;
  /** Whole, as it is asked about: what would be run, or what would be written. */
  readonly command: string | null;
  readonly file: string | null;
  readonly choices: readonly AskChoice[] | null;
  /** Since when; null when only whoever saw it first can tell. */
  readonly since: string | null;
  readonly resets_at: string | null;
  readonly actions: readonly ItemAction[];
}

export interface Item extends Omit<Draft, "key" | "lasting"> {
  /** Stays the same while the fact lasts, and is never given to another. */
  readonly id: string;
  readonly weight: Weight;
  readonly task: string | null;
  readonly task_id: string | null;
  /** Null: this machine. */
  readonly host: string | null;
}

/** The task that a thing is about; null: a session that works for nobody. */
export type About = { readonly id: string; readonly name: string } | null;

/** When a fact that may come back was seen first this time, and its name this time. */
export interface Sighting {
  readonly id: string;
  readonly began_at: string;
}

/** @param sighting null for a lasting fact, and for one that is not on record (yet) */
export function itemOf(draft: Draft, about: About, sighting: Sighting | null): Item {
  const { key, lasting, since, ...rest } = draft;
  return {
    id: sighting?.id ?? (lasting ? key : `${about?.id ?? draft.session} ${key}`),
    ...rest,
    weight: weightOf(draft.kind),
    since: since ?? sighting?.began_at ?? null,
    task: about?.name ?? null,
    task_id: about?.id ?? null,
    host: null,
  };
}

/** Whether it has a name that stays: what a look could not see, or not put on record, has none, and its id is not one to remember. */
export const isNamed = ({ id }: Pick<Item, "id">): boolean => !id.includes(" ");

/** What presses most comes first; of the same kind, what has lasted longest. */
export const byPressure = (one: Item, other: Item): number =>
  KINDS.indexOf(one.kind) - KINDS.indexOf(other.kind) ||
  (instant(one.since) ?? Number.MAX_SAFE_INTEGER) - (instant(other.since) ?? Number.MAX_SAFE_INTEGER);

/** Whether a person may put it away: what has happened and will not end by itself. */
export const isPutAway = ({ id }: Pick<Item, "id">): boolean => /^(notification|delivery|command):/.test(id);
