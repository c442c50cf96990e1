/** What `dashboard` would start: its own command line, the page's address, and the Dispatch beside it. */
import { UsageError } from "./failure.ts";
import { LOOPBACK, pageUrl } from "./loopback.ts";

interface DashboardWish {
  readonly program: string;
  readonly task: string | undefined;
  readonly host: string;
  readonly port: number;
  /** Absolute path of the database, only when one was named. */
  readonly dbPath: string | undefined;
  readonly ensureDispatch: boolean;
  readonly dispatcherId: string;
  /** Words of that Dispatch by which it goes on with turns that died of a limit. */
  readonly resume: readonly string[];
  /** The executable that runs Dispatch, only when one was named. */
  readonly workerctlPath: string | undefined;
}

export interface DashboardPlan {
  readonly command: string[];
  readonly host: string;
  readonly port: number;
  readonly task: string | null;
  readonly url: string;
  readonly ensure_dispatch: boolean;
  readonly dispatch_command: string[] | null;
}

/** @throws UsageError when host or port would not keep the page on this machine */
export function planDashboard(wish: DashboardWish): DashboardPlan {
  const { host, port, task, dbPath } = wish;
  if (!LOOPBACK.includes(host))
    throw new UsageError(
      `--host must be one of ${LOOPBACK.join(", ")}, since the page controls agents on this machine; not ${JSON.stringify(host)}`,
    );
  if (port < 1 || port > 65535) throw new UsageError(`--port must be from 1 to 65535, not ${port}`);
  const database = dbPath === undefined ? [] : [dbPath];
  return {
    command: [
      wish.program,
      "dashboard",
      "--host",
      host,
      "--port",
      String(port),
      ...(task === undefined ? [] : ["--task", task]),
      ...database.flatMap((path) => ["--db-path", path]),
    ],
    host,
    port,
    task: task ?? null,
    url: pageUrl(host, port, { task }),
    ensure_dispatch: wish.ensureDispatch,
    dispatch_command: wish.ensureDispatch
      ? [
          wish.workerctlPath ?? "conveyor",
          "dispatch",
          "--watch",
          "--dispatcher-id",
          wish.dispatcherId,
          ...wish.resume,
          ...database.flatMap((path) => ["--path", path]),
        ]
      : null,
  };
}
