/** The dashboard as a command: serves until it is asked to end, with a Dispatch beside it if one is wanted. */
import { type Context, makeContext } from "../context.ts";
import type { DashboardPlan } from "../core/dashboard-plan.ts";
import { isDispatching } from "../flow/reach/dispatchers.ts";
import { PATIENCE_MS } from "../flow/dispatch/send.ts";
import { talkOf } from "../flow/talk.ts";
import { openInBrowser } from "../system/processes/browser.ts";
import { type Companion, startCompanion } from "../system/processes/companion.ts";
import { selfArgv } from "../system/processes/self.ts";
import { onStop } from "../system/processes/this-process.ts";
import { serveDashboard } from "./server.ts";

interface RunWish {
  /** Database file as given. */
  readonly path: string | undefined;
  readonly dispatcherId: string;
  /** The program that runs Dispatch was named. */
  readonly ownProgram: boolean;
  readonly open: boolean;
  readonly json: boolean;
}

const SAY_AFTER_MS = 1000;

/**
 * Serves until SIGINT, SIGTERM or SIGHUP.
 * @throws Failure when the port is taken, the task is unknown, or the database no longer stands at its path
 */
export async function runDashboard(cx: Context, plan: DashboardPlan, wish: RunWish): Promise<void> {
  const reader = makeContext(cx.outside);
  if (wish.path !== undefined) for (const each of [cx, reader]) each.meant(wish.path);
  let companion: Companion | null = null;
  let forget: (() => void) | null = null;
  const { log, warn: problem } = talkOf(cx, cx.program);
  const stopped = Promise.withResolvers<void>();
  const release = onStop(stopped.resolve);
  // It may be lost while Dispatch is still being started.
  stopped.promise.catch(() => {});
  try {
    const dashboard = await serveDashboard(cx, reader, {
      host: plan.host,
      port: plan.port,
      task: plan.task ?? undefined,
      path: wish.path,
      problem,
      lost: stopped.reject,
    });
    try {
      if (plan.dispatch_command) companion = await ensureDispatch(cx, plan.dispatch_command, wish, problem);
      if (wish.json) cx.json({ ...plan, url: dashboard.url, pid: process.pid, dispatch_pid: companion?.pid ?? null });
      else {
        cx.out(dashboard.url);
        log(`${companion ? `Dispatch ${wish.dispatcherId} runs beside it, as process ${companion.pid}. ` : ""}Ctrl-C ends it.`);
      }
      if (wish.open) forget = await openInBrowser(cx.env, dashboard.url);
      if (wish.open && !forget) log("No browser could be opened from here: open the address above yourself.");
      await stopped.promise;
    } finally {
      await dashboard.close();
    }
  } finally {
    forget?.();
    const slow = setTimeout(() => companion && log("Dispatch ends after the message at hand; Ctrl-C leaves it to that."), SAY_AFTER_MS);
    await companion?.end();
    clearTimeout(slow);
    reader.close();
    release();
  }
}

/** Starts Dispatch unless one of this id is alive. */
async function ensureDispatch(
  cx: Context,
  command: readonly string[],
  wish: RunWish,
  problem: (message: string) => void,
): Promise<Companion | null> {
  if (await isDispatching(cx, cx.store(wish.path), wish.dispatcherId)) return null;
  const argv = wish.ownProgram ? command : [...selfArgv(), ...command.slice(1)];
  const companion = startCompanion(argv, { env: cx.env, cwd: cx.cwd }, PATIENCE_MS, (code) =>
    problem(`Dispatch ended by itself (exit ${code ?? "by signal"}): ${command.join(" ")}`),
  );
  if (!companion) problem(`Dispatch could not be started: ${command[0]}`);
  return companion;
}
