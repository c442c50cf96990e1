/** Asking a Dispatch to end, and waiting until it has: what it is sending is finished first. */
import { Failure } from "../../core/failure.ts";
import { askToStop } from "../../store/dispatch/dispatchers.ts";
import { tx } from "../../store/store.ts";
import { alive } from "../../system/processes/processes.ts";
import { thisHost } from "../../system/processes/this-process.ts";
import { Bell } from "../../system/files/bell.ts";
import { watchCommits } from "../commits.ts";
import { nextCommand } from "../reach/next-command.ts";
import type { Scene } from "../scene.ts";
import { type Dispatcher, dispatchers } from "../reach/dispatchers.ts";

/** The end of a process tells nobody but its parent; its last commit comes just before it. */
const LOOK_MS = 100;

export interface StoppedDispatch {
  readonly dispatcher_id: string;
  readonly host: string;
  readonly pid: number;
}

const named = (watches: readonly Dispatcher[]): string =>
  watches.map(({ dispatcher_id, pid, host }) => `${dispatcher_id} (process ${pid}${host === thisHost() ? "" : ` on ${host}`})`).join(", ");

/** Who is meant. @throws Failure when nobody is, or several may be */
function meant({ cx, store }: Scene, living: readonly Dispatcher[], id: string | null): Dispatcher[] {
  if (living.length === 0) throw new Failure("no Dispatch runs on these records", { hint: nextCommand(cx, store, "dispatch", "status") });
  const of = living.filter(({ dispatcher_id }) => dispatcher_id === id);
  if (id !== null && of.length === 0)
    throw new Failure(`no Dispatch ${JSON.stringify(id)} runs on these records, but ${named(living)}`, {
      hint: nextCommand(cx, store, "dispatch", "stop", living[0]!.dispatcher_id),
    });
  if (id === null && living.length > 1) {
    const ids = [...new Set(living.map(({ dispatcher_id }) => dispatcher_id))];
    throw new Failure(`${living.length} Dispatches run on these records: ${named(living)}`, {
      hint: `say which is meant: ${ids.map((each) => nextCommand(cx, store, "dispatch", "stop", each)).join("; ")}`,
    });
  }
  return id === null ? [...living] : of;
}

/**
 * @param id of which; null: the only one that runs. All of this name are ended.
 * @throws Failure when none or several are meant, or one has not ended in time: it ends all the same when its sending is over
 */
export async function stopDispatch(scene: Scene, id: string | null, timeoutSeconds: number): Promise<StoppedDispatch[]> {
  const { cx, store } = scene;
  const living = async () => (await dispatchers(cx, store)).filter((each) => each.alive);
  const asked = meant(scene, await living(), id);
  const bell = new Bell();
  const commits = watchCommits(store, () => bell.ring());
  try {
    tx(store, () => {
      for (const each of asked) askToStop(store, each);
    });
    const isOver = ({ host, pid }: Dispatcher, now: readonly Dispatcher[]): boolean =>
      !now.some((each) => each.host === host && each.pid === pid) && (host !== thisHost() || !alive(pid));
    const end = performance.now() + timeoutSeconds * 1000;
    for (let left = [...asked]; ; await bell.wait(LOOK_MS)) {
      const now = await living();
      left = left.filter((each) => !isOver(each, now));
      if (left.length === 0) break;
      if (performance.now() < end) continue;
      // The number means another process on this machine where it is that of one elsewhere.
      const kill = left.map(({ pid, host }) => `kill ${pid}${host === thisHost() ? "" : ` on ${host}`}`).join("; ");
      throw new Failure(`Dispatch ${named(left)} was asked to end, and has not within ${timeoutSeconds} s`, {
        hint:
          `it ends when what it sends is over: ${nextCommand(cx, store, "dispatch", "status")}; at once, and what it sends may be ` +
          `cut off: ${kill}`,
      });
    }
  } finally {
    commits.close();
  }
  return asked.map(({ dispatcher_id, host, pid }) => ({ dispatcher_id, host, pid }));
}
