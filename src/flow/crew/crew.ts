/** The manager of a crew, by name, and the pairs that it leads. */
import { Failure } from "../../core/failure.ts";
import type { Session } from "../../core/sessions/session.ts";
import { quoteWord } from "../../core/shell.ts";
import { crewOf, type Pairing } from "../../store/sessions/bindings.ts";
import { needSession } from "../../store/sessions/sessions.ts";
import type { Scene } from "../scene.ts";

export interface Crew {
  readonly manager: Session;
  /** The oldest first. */
  readonly pairs: readonly Pairing[];
}

/** @throws Failure when there is no such manager, or it leads nobody */
export function needCrew({ cx, store }: Scene, name: string): Crew {
  const manager = needSession(store, name);
  if (manager.role !== "manager")
    throw new Failure(`session ${JSON.stringify(name)} is registered as ${manager.role}, not manager`, {
      hint: `${cx.program} sessions --role manager`,
    });
  const pairs = crewOf(store, manager.id);
  if (pairs.length === 0)
    throw new Failure(`manager ${JSON.stringify(name)} leads nobody`, {
      hint: `${cx.program} bind --task TASK --worker NAME --manager ${quoteWord(name)}`,
    });
  return { manager, pairs };
}
