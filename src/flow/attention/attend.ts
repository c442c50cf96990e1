/** One look at everything that needs a person, for a command: transcripts are read on, and servers and screens are asked first. */
import type { Context } from "../../context.ts";
import type { Item, Weight } from "../../core/attention/item.ts";
import type { Session } from "../../core/sessions/session.ts";
import { taskOfSession } from "../../store/sessions/bindings.ts";
import { listSessions } from "../../store/sessions/list.ts";
import { isUnwritten } from "../../store/sqlite-failure.ts";
import type { Store } from "../../store/store.ts";
import { readAhead } from "../observe/ingest.ts";
import { unread } from "../observe/unread.ts";
import { whereIs } from "../observe/whereabouts.ts";
import type { Scene } from "../scene.ts";
import type { Look } from "./look.ts";
import { everything } from "./situation.ts";

/** What is printed. */
export interface Attention {
  readonly generated_at: string;
  readonly counts: Readonly<Record<Weight, number>>;
  readonly items: readonly Item[];
}

/** Every session that may need somebody. */
export const attended = (store: Store): Session[] => listSessions(store, { includeLegacy: true });

/** Reads on what these sessions have written. Where nothing can be stored, what is on record must do. */
function readOn(cx: Context, store: Store, sessions: readonly Session[]): void {
  try {
    for (const session of sessions) if (unread(session) !== null) readAhead(cx, store, session.id);
  } catch (error) {
    if (!isUnwritten(error)) throw error;
  }
}

/**
 * Asks the servers of those that have one what they ask, and whether what stands open there runs; each once: from then on its screen tells
 * when that is otherwise.
 */
async function askServers({ cx, store }: Scene, look: Look, sessions: readonly Session[]): Promise<void> {
  const served = sessions.filter((session) => session.socket !== null && look.meets(session));
  await Promise.all(served.map((session) => whereIs(cx, store, session, { asksOf: taskOfSession(store, session.id), closely: true })));
}

/** Looks at everything there is. @throws Failure when the database cannot be read */
export async function attend(scene: Scene, look: Look, stalledAfterSeconds: number): Promise<{ told: Attention; nextMs: number | null }> {
  const { cx, store } = scene;
  readOn(cx, store, attended(store));
  await askServers(scene, look, attended(store));
  await look.again(attended(store));
  // What was written while it was looked at.
  readOn(cx, store, attended(store));
  return tell(scene, look, stalledAfterSeconds);
}

/** The same from what was seen last. */
export function tell(scene: Scene, look: Look, stalledAfterSeconds: number): { told: Attention; nextMs: number | null } {
  const { items, nextMs } = everything(scene, look, stalledAfterSeconds);
  const counts = { now: 0, soon: 0 };
  for (const { weight } of items) counts[weight]++;
  return { told: { generated_at: scene.store.now(), counts, items }, nextMs };
}
