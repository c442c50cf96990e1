/** One look at everything that needs a person, for a command: transcripts are read on, and servers and screens are asked first. */
import type { Context } from "../../context.ts";
import type { Item, Weight } from "../../core/attention/item.ts";
import type { Session } from "../../core/sessions/session.ts";
import type { Task } from "../../core/tasks/task.ts";
import { activeTasks } from "../../store/attention/tasks.ts";
import { needTask } from "../../store/tasks/tasks.ts";
import { type Pairing, taskOfSession } from "../../store/sessions/bindings.ts";
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

/** Looks at everything there is, or at these pairs alone. @throws Failure when the database cannot be read */
export async function attend(
  scene: Scene,
  look: Look,
  stalledAfterSeconds: number,
  pairs: readonly Pairing[] | null = null,
): Promise<{ told: Attention; nextMs: number | null }> {
  const { cx, store } = scene;
  const sides = pairs?.flatMap(({ worker, manager }) => [worker.id, manager.id]);
  const sessions = (): Session[] => attended(store).filter(({ id }) => sides === undefined || sides.includes(id));
  const tasks = (): Task[] => pairs?.map(({ binding }) => needTask(store, binding.task_id)) ?? activeTasks(store);
  readOn(cx, store, sessions());
  await askServers(scene, look, sessions());
  await look.again(sessions(), tasks());
  // What was written while it was looked at.
  readOn(cx, store, sessions());
  return tell(scene, look, stalledAfterSeconds, pairs === null ? null : tasks());
}

/** The same from what was seen last. @param tasks these alone; null: all, and the sessions that work for nobody */
export function tell(
  scene: Scene,
  look: Look,
  stalledAfterSeconds: number,
  tasks: readonly Task[] | null = null,
): { told: Attention; nextMs: number | null } {
  const { items, nextMs } = everything(scene, look, stalledAfterSeconds, tasks);
  const counts = { now: 0, soon: 0 };
  for (const { weight } of items) counts[weight]++;
  return { told: { generated_at: scene.store.now(), counts, items }, nextMs };
}
