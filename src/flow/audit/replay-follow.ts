/** A replay that goes on: what is written to the record is told at once, and told again when it comes to its end. */
import type { Entry } from "../../core/audit/replay.ts";
import type { Task } from "../../core/tasks/task.ts";
import { moodOf } from "../../core/audit/timeline.ts";
import { snapshot } from "../../store/reading.ts";
import { type Marks, marksNow, type ReplayFilter, replayRows, tellAgain } from "../../store/audit/replay.ts";
import { requirePlace } from "../../store/place.ts";
import type { Store } from "../../store/store.ts";
import { taskById } from "../../store/tasks/tasks.ts";
import { Bell } from "../../system/files/bell.ts";
import { onStop } from "../../system/processes/this-process.ts";
import { watchCommits } from "../commits.ts";

/** The longest sleep: commits wake it, this is for where they cannot be heard. */
const SLEEP_MS = 2000;
/** So many entries that are not at their end are looked at again. */
const OPEN_MAX = 5000;

/** Not yet at its end: it will be told again. */
export const isOpen = (entry: Entry): boolean => moodOf(entry.details.state) === "open";

/**
 * Tells what is added to the task's record until the task is over or the process is asked to stop.
 * @throws Failure when the database no longer stands at its path
 * @param began where the tables ended when the caller had told everything, and what of it was still open
 */
export async function followReplay(
  store: Store,
  task: Task,
  filter: ReplayFilter,
  began: { marks: Marks; open: readonly Entry[] },
  tell: (entry: Entry) => void,
): Promise<void> {
  const bell = new Bell();
  let stopped = false;
  const release = onStop(() => {
    stopped = true;
    bell.ring();
  });
  const commits = watchCommits(store, () => bell.ring());
  const open = new Map<string, Entry>();
  const remember = (entry: Entry) => {
    const key = `${entry.source} ${entry.source_id}`;
    if (!isOpen(entry)) open.delete(key);
    else if (open.has(key) || open.size < OPEN_MAX) open.set(key, entry);
  };
  began.open.forEach(remember);
  let { marks } = began;

  /** Tells what is new; true when the task is over. */
  const round = (): boolean => {
    requirePlace(store);
    return snapshot(store, () => {
      for (const entry of [...open.values()]) {
        const now = tellAgain(store, entry);
        if (now === null || now.summary === entry.summary) continue;
        tell(now);
        remember(now);
      }
      for (const { entry } of replayRows(store, task.id, filter, "asc", marks)) {
        tell(entry);
        remember(entry);
      }
      marks = marksNow(store);
      const { state } = taskById(store, task.id)!;
      return state === "done" || state === "failed";
    });
  };

  try {
    while (!round() && !stopped) await bell.wait(SLEEP_MS);
  } finally {
    commits.close();
    release();
  }
}
