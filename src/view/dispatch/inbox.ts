/** An inbox as text for people. */
import type { InboxItem } from "../../core/dispatch/notification.ts";
import { oneLine } from "../../core/plain-text.ts";
import { messageOf } from "../../core/dispatch/queued-command.ts";

const line = (item: InboxItem): string =>
  oneLine(
    `#${item.id} ${item.signal_type} ${item.delivery_mode} ${item.source_session_name} -> ${item.target_session_name} ` +
      `${item.created_at} ${item.correlation_id}`,
  );

const message = (item: InboxItem): string[] => (messageOf(item.payload) ?? "").split("\n").map((text) => `    ${text}`.trimEnd());

/** Header, the consumed item with its message, and what is left, one line each. */
export function inboxText(inbox: {
  session: string;
  task?: string | undefined;
  consumed: InboxItem | null;
  items: readonly InboxItem[];
  timedOut: boolean;
}): string {
  const { consumed, items } = inbox;
  const lines = [oneLine(`inbox of ${inbox.session}${inbox.task === undefined ? "" : ` (task ${inbox.task})`}`)];
  if (consumed) lines.push(`consumed ${line(consumed)}`, ...message(consumed));
  if (inbox.timedOut) lines.push("nothing arrived in time");
  lines.push(items.length === 0 ? "no pending items" : `${items.length} pending`, ...items.map(line));
  return lines.join("\n");
}
