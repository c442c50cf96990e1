/** A cycle that is shown to who asked for it: only then are the messages in it read. */
import type { Context } from "../../context.ts";
import type { Session } from "../../core/sessions/session.ts";
import type { Store } from "../../store/store.ts";
import { asksItself } from "../reach/asker.ts";
import { show } from "../showing.ts";
import { type CycleOptions, observe } from "./cycle.ts";

/**
 * Observes the task and shows what `cycle` prints. A failure is recorded as a failed cycle, then thrown on.
 * @param tell shows it to who asked, before it is on record; throws when that is not possible
 * @throws Failure as {@link observe}; what `tell` throws: then nothing was read
 */
export async function runCycle(
  cx: Context,
  store: Store,
  options: CycleOptions,
  tell: (result: Record<string, unknown>) => void,
): Promise<Record<string, unknown>> {
  const observed = await observe(cx, store, options);
  const { result, consumed } = observed;
  try {
    show(store, consumed, () => tell(result), observed.keep);
  } catch (error) {
    observed.fail(error);
    throw error;
  }
  return result;
}

/**
 * Whether a look takes the manager's messages when nobody says so: a program's does, and the manager's own; a person's, at a terminal, does
 * not.
 */
export const looksFor = async (cx: Context, manager: Session): Promise<boolean> => !cx.outside.tty.out || (await asksItself(cx, manager));
