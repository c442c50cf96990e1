/** The Dispatch that a command starts beside what it has begun: it lives as long as anybody is bound, and a while longer. */
import type { Context } from "../../context.ts";
import { listDispatchers } from "../../store/dispatch/dispatchers.ts";
import type { Store } from "../../store/store.ts";
import { alive } from "../../system/processes/processes.ts";
import { startBackground } from "../../system/processes/run.ts";
import { selfArgv } from "../../system/processes/self.ts";
import { dispatchers } from "../reach/dispatchers.ts";
import type { Scene } from "../scene.ts";

/** What it is called unless somebody names it. */
export const BESIDE_ID = "dispatch-pair";
/** So long it stays when the last binding has ended: the next pair may come. */
const UNBOUND_SECONDS = 600;
/** A start takes some 10 ms, on a busy machine far longer. */
const START_MS = 10_000;
const LOOK_MS = 20;

/** Its words. @param path the database file, when one was named @param more further words of it */
export const besideCommand = (cx: Context, dispatcherId: string, path: string | undefined, more: readonly string[] = []): string[] => [
  ...selfArgv(),
  ...["dispatch", "--watch", "--dispatcher-id", dispatcherId, "--path", cx.storePath(path)],
  // Whoever started one and died before it was on record told nobody of it.
  ...["--until-unbound", String(UNBOUND_SECONDS), "--unless-running"],
  ...more,
];

/** What is told of it. */
export interface Beside {
  readonly command: readonly string[] | null;
  readonly ensure: boolean;
  readonly started: boolean;
  readonly pid: number | null;
}

/**
 * Starts it for good, and waits until it is on record, where the next one that would start it finds it.
 * @param begun told of its pid at once
 * @returns its pid; null when another was first, and with a warning when it could not be started, or ended at once
 */
export async function startBeside(
  cx: Context,
  store: Store,
  command: readonly string[],
  begun: (pid: number) => void = () => {},
): Promise<number | null> {
  const pid = startBackground(command, { ...cx.env, WORKERCTL_STATE_ROOT: cx.stateRoot }, "/");
  if (pid !== null) begun(pid);
  const isListed = (): boolean => listDispatchers(store).some((row) => row.pid === pid && row.ended_at === null);
  for (const end = performance.now() + START_MS; pid !== null && alive(pid) && performance.now() < end; await Bun.sleep(LOOK_MS))
    if (isListed()) return pid;
  if (pid !== null && alive(pid)) return pid;
  if (pid !== null && (await carries(cx, store))) return null;
  cx.err(`warning: Dispatch could not be started: ${command.join(" ")}`);
  return null;
}

/** Whether a Dispatch lives that carries messages. */
const carries = async (cx: Context, store: Store): Promise<boolean> =>
  (await dispatchers(cx, store)).some((each) => each.alive && each.dry_run === 0);

/** Starts it where one is wanted and no Dispatch lives that carries messages; in a dry run it is only told with which words. */
export async function ensureBeside({ cx, store }: Scene, given: readonly string[], wanted: boolean, dryRun: boolean): Promise<Beside> {
  const command = wanted && !(await carries(cx, store)) ? given : null;
  const pid = command === null || dryRun ? null : await startBeside(cx, store, command);
  return { command, ensure: wanted, started: pid !== null, pid };
}
