/** What may not be said now is parked: its receiver is at its limit, or the task over its budget. Others' messages go on. */
import type { NotificationRow } from "../../core/dispatch/notification.ts";
import type { CommandRow } from "../../core/dispatch/queued-command.ts";
import type { Session } from "../../core/sessions/session.ts";
import { deadTurn } from "../../store/attention/limits.ts";
import { type Hold, holdOn, parkCommand, parkTurn, targetOfCommand } from "../../store/attention/parked.ts";
import { readMessage } from "../../store/dispatch/message.ts";
import { tx } from "../../store/store.ts";
import { readAhead } from "../observe/ingest.ts";
import type { Item, PassScene } from "./items.ts";

/**
 * Why nothing may be said to the session now. What was said to one whose turn died of a limit, by whomever, is looked up in its record: it
 * may have gone on, or be trying whether it can.
 */
export function holdNow({ cx, store }: PassScene, target: Session, taskId: string): Hold | null {
  if (deadTurn(store, target) !== null) readAhead(cx, store, target.id);
  return holdOn(store, target, taskId, cx.nowMs());
}

const holdKeys = ({ reason, until, why }: Hold): Item => ({ state: "parked", reason, available_at: until, error: why });

/** Parks a queued command that may not be said now; null: it may. */
export function parkIfHeld(scene: PassScene, command: CommandRow): Item | null {
  const { store, claimant } = scene;
  const target = targetOfCommand(store, command);
  const hold = target && holdNow(scene, target, command.task_id!);
  if (target === null || hold === null) return null;
  return tx(store, () => {
    // Somebody else may have taken it up meanwhile.
    if (readMessage(store, { commandId: command.id })?.command?.state === "pending") parkCommand(store, command, target, hold);
    return {
      command_id: command.id,
      command_type: command.type,
      correlation_id: command.correlation_id,
      dispatcher_id: claimant.dispatcherId,
      dry_run: false,
      side_effect_started: false,
      side_effect_completed: false,
      target_session: target.name,
      ...holdKeys(hold),
    };
  });
}

/** Parks the notification of an ended turn. @param item what is told of it */
export function parkHeldTurn({ store }: PassScene, row: NotificationRow, target: Session, hold: Hold, item: Item): Item {
  parkTurn(store, row, target, hold);
  return { ...item, ...holdKeys(hold) };
}
