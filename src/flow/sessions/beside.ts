/** The Dispatch that a command starts beside what it has begun: it lives as long as anybody is bound, and a while longer. */
import type { Context } from "../../context.ts";
import { startBackground } from "../../system/processes/run.ts";
import { selfArgv } from "../../system/processes/self.ts";

/** What it is called unless somebody names it. */
export const BESIDE_ID = "dispatch-pair";
/** So long it stays when the last binding has ended: the next pair may come. */
const UNBOUND_SECONDS = 600;

/** Its words. @param path the database file, when one was named @param more further words of it */
export const besideCommand = (cx: Context, dispatcherId: string, path: string | undefined, more: readonly string[] = []): string[] => [
  ...selfArgv(),
  ...["dispatch", "--watch", "--dispatcher-id", dispatcherId, "--path", cx.storePath(path)],
  ...["--until-unbound", String(UNBOUND_SECONDS)],
  ...more,
];

/** Starts it for good, and gives its pid; null, with a warning, when it could not be started. */
export function startBeside(cx: Context, command: readonly string[]): number | null {
  const pid = startBackground(command, { ...cx.env, WORKERCTL_STATE_ROOT: cx.stateRoot }, "/");
  if (pid === null) cx.err(`warning: Dispatch could not be started: ${command.join(" ")}`);
  return pid;
}

/** What is told of it. */
export interface Beside {
  readonly command: readonly string[] | null;
  readonly ensure: boolean;
  readonly started: boolean;
  readonly pid: number | null;
}
