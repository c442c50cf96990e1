/** One look at everything that a manager leads: a cycle of each of its tasks, and what in them needs a person, shown as one. */
import type { Item } from "../../core/attention/item.ts";
import { STALLED_AFTER_SECONDS } from "../../core/attention/situation.ts";
import { Failure } from "../../core/failure.ts";
import { needTask, taskById } from "../../store/tasks/tasks.ts";
import { attend } from "../attention/attend.ts";
import { Look } from "../attention/look.ts";
import { type Observed, observe } from "../observe/cycle.ts";
import type { Scene } from "../scene.ts";
import { show } from "../showing.ts";
import type { Crew } from "./crew.ts";

/** A task that could not be observed. */
interface NotObserved {
  readonly task: string;
  readonly error: string;
  readonly hint: string | null;
}

/** What is printed. */
interface CrewCycle {
  readonly manager: string;
  readonly cycles: readonly Record<string, unknown>[];
  readonly attention: readonly Item[];
  /** Those are on record as failed cycles; the others were observed all the same. */
  readonly failed: readonly NotObserved[];
}

/**
 * Observes each of its tasks, the oldest binding first, and shows all of it at once.
 * @param options as of one cycle, for each; @param tell shows it to who asked, before any of it is on record
 * @returns whether every task could be observed
 * @throws what `tell` throws: then nothing was read
 */
export async function runCycles(
  scene: Scene,
  { manager, pairs }: Crew,
  options: { readonly busyWaitSeconds: number; readonly consume: boolean },
  tell: (result: CrewCycle) => void,
): Promise<boolean> {
  const { cx, store } = scene;
  const observed: Observed[] = [];
  const failed: NotObserved[] = [];
  try {
    for (const { binding } of pairs) {
      // As it is called, unless another is called so, too.
      const name = taskById(store, binding.task_id)!.name;
      const task = needTask(store, name).id === binding.task_id ? name : binding.task_id;
      try {
        observed.push(await observe(cx, store, { ...options, task }));
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        failed.push({ task, error: error.message, hint: error.hint ?? null });
      }
    }
    const { told } = await attend(scene, new Look(cx, store), STALLED_AFTER_SECONDS, pairs);
    const cycles = observed.map(({ result }) => result);
    show(
      store,
      observed.flatMap(({ consumed }) => consumed),
      () => tell({ manager: manager.name, cycles, attention: told.items, failed }),
      () => observed.forEach(({ keep }) => keep()),
    );
  } catch (error) {
    for (const each of observed) each.fail(error);
    throw error;
  }
  return failed.length === 0;
}
