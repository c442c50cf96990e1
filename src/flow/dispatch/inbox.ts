/** Reading an inbox, once or by a long poll that wakes on commits. */
import { flag, integer, number, pathFlag } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { UsageError } from "../../core/failure.ts";
import type { InboxItem } from "../../core/dispatch/notification.ts";
import type { Session } from "../../core/sessions/session.ts";
import { needPairing, otherTasksOf } from "../../store/sessions/bindings.ts";
import { claimNextItem, inboxWaits, keepConsumed, listInbox } from "../../store/dispatch/inbox.ts";
import { notePoll } from "../../store/dispatch/inbox-polls.ts";
import { requirePlace } from "../../store/place.ts";
import type { Store } from "../../store/store.ts";
import { needTask } from "../../store/tasks/tasks.ts";
import { Bell } from "../../system/files/bell.ts";
import { inboxText } from "../../view/dispatch/inbox.ts";
import { watchCommits } from "../commits.ts";
import { show, thisReader } from "../showing.ts";

/** The flags of the three inbox commands. */
export const inboxFlags = {
  consumeNext: flag("take the oldest item; it is not shown again"),
  wait: flag("when nothing is there, wait for an item until the timeout; timing out is no error"),
  timeout: number("longest wait", { default: 30, value: "SECONDS" }),
  interval: number("longest sleep between two looks while waiting; a new item is noticed at once anyway", { default: 2, value: "SECONDS" }),
  limit: integer("how many waiting items to list; 0 counts as 1", { default: 10 }),
  json: flag("print JSON"),
  path: pathFlag,
};

interface InboxArgs {
  readonly consumeNext: boolean;
  readonly wait: boolean;
  readonly timeout: number;
  readonly interval: number;
  readonly limit: number;
  readonly json: boolean;
}

/** How a reading went. */
interface Waited {
  readonly enabled: boolean;
  readonly elapsed_seconds: number;
  readonly interval_seconds: number;
  readonly poll_count: number;
  readonly timed_out: boolean;
  readonly timeout_seconds: number;
}

interface Reading {
  readonly consumed: InboxItem | null;
  readonly items: InboxItem[];
  readonly wait: Waited;
}

/** @throws UsageError for numbers that make no sense, before anything is opened */
export function checkInboxArgs(args: InboxArgs): void {
  if (args.interval <= 0) throw new UsageError("--interval must be more than 0");
}

/**
 * Reads the inbox of the session as the arguments say; what is consumed is claimed, to be shown. No transaction is held between two looks.
 * @throws Failure when the database no longer stands at its path
 */
async function readInbox(cx: Context, store: Store, session: Session, args: InboxArgs, task: { id: string } | undefined): Promise<Reading> {
  const started = performance.now();
  let polls = 0;
  let consumed: InboxItem | null = null;
  // By its task, the inbox of a manager that leads several is read for that one.
  const apart = (): string[] => (task === undefined ? [] : otherTasksOf(store, session.id, task.id));
  const readerNow = async () => (args.consumeNext ? thisReader(cx, store) : null);
  let reader = await readerNow();
  const found = (): boolean => {
    polls++;
    requirePlace(store);
    if (reader === null) return inboxWaits(store, session.id, apart());
    consumed = claimNextItem(store, session, reader, apart());
    return consumed !== null;
  };
  const elapsed = (): number => (performance.now() - started) / 1000;
  let timedOut = false;
  if (args.wait || args.consumeNext) notePoll(store, session.id, args.wait ? args.timeout : 0);
  if (args.wait) {
    const bell = new Bell();
    // The watch stands before the first look: what is committed in between rings.
    const commits = watchCommits(store, () => bell.ring());
    try {
      while (!found()) {
        const rest = args.timeout - elapsed();
        if (rest <= 0) {
          timedOut = true;
          break;
        }
        await bell.wait(Math.ceil(Math.min(args.interval, rest) * 1000));
        reader = await readerNow();
      }
    } finally {
      commits.close();
    }
  } else found();
  const taken = consumed as InboxItem | null;
  const limit = Math.max(1, args.limit);
  return {
    consumed,
    items: listInbox(store, session.id, limit + 1, apart())
      .filter(({ id }) => id !== taken?.id)
      .slice(0, limit),
    wait: {
      enabled: args.wait,
      elapsed_seconds: Math.round(elapsed() * 1000) / 1000,
      interval_seconds: args.interval,
      poll_count: polls,
      timed_out: timedOut,
      timeout_seconds: args.timeout,
    },
  };
}

/** Reads and prints the inbox of one side of the pair that is bound to the task. */
export async function showSideInbox(
  cx: Context,
  side: "worker" | "manager",
  args: InboxArgs & { readonly task: string; readonly path?: string | undefined },
): Promise<void> {
  checkInboxArgs(args);
  const store = cx.store(args.path);
  const task = needTask(store, args.task);
  await showInbox(cx, store, needPairing(store, task)[side], args, task);
}

/** Reads the inbox and prints it; `task` is named for the inboxes that are found by task. */
export async function showInbox(
  cx: Context,
  store: Store,
  session: Session,
  args: InboxArgs,
  task?: { id: string; name: string },
): Promise<void> {
  const { consumed, items, wait } = await readInbox(cx, store, session, args, task);
  const { id, name, role } = session;
  const print = (): void =>
    args.json
      ? cx.json({ consumed, items, session: { id, name, role }, wait, ...(task && { task: { id: task.id, name: task.name } }) })
      : cx.out(inboxText({ session: name, task: task?.name, consumed, items, timedOut: wait.timed_out }));
  if (consumed === null) return print();
  show(store, [consumed], print, () => keepConsumed(store, session, consumed, { count: wait.poll_count, wait: wait.enabled }));
}
