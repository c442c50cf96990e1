/** Token use of sessions over time, kept in memory as far as it was read, so that a long day costs no more at every change. */
import type { Session } from "../core/sessions/session.ts";
import { tokenPoints } from "../store/observe/codex-events.ts";
import type { Store } from "../store/store.ts";

export interface TokenLine {
  readonly name: string;
  readonly role: "worker" | "manager";
  /** When, and all tokens used by then; at most a few hundred points, the last one exact. */
  readonly points: readonly (readonly [at: string, total: number])[];
}

const MOST_POINTS = 240;
const MOST_SESSIONS = 200;

interface Known {
  lastId: number;
  points: [string, number][];
}

/** Halves the points by leaving out every other one; the first and the last stay. */
const thinned = (points: [string, number][]): [string, number][] =>
  points.filter((_, index) => index % 2 === 0 || index === points.length - 1);

export class TokenLines {
  private readonly known = new Map<string, Known>();

  constructor(private readonly store: Store) {}

  line(session: Session): TokenLine {
    const known = this.known.get(session.id) ?? { lastId: 0, points: [] };
    for (const { id, at, total } of tokenPoints(this.store, session.id, known.lastId)) {
      known.lastId = id;
      known.points.push([at, total]);
    }
    while (known.points.length > MOST_POINTS) known.points = thinned(known.points);
    this.known.delete(session.id);
    this.known.set(session.id, known);
    if (this.known.size > MOST_SESSIONS) this.known.delete(this.known.keys().next().value!);
    return { name: session.name, role: session.role, points: [...known.points] };
  }
}
