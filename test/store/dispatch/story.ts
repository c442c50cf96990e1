/** A message in a private world, and moves of it for tests: as a dispatcher, a recovery and a proof make them. */
import type { Holder } from "../../../src/core/dispatch/holder.ts";
import { type TransitionName, TRANSITIONS, type Writes } from "../../../src/core/dispatch/message.ts";
import { addDelivery, endDelivery } from "../../../src/store/deliveries.ts";
import type { CommandType } from "../../../src/core/dispatch/queued-command.ts";
import { type Claim, claimableCommands, claimCommand } from "../../../src/store/dispatch/command-queue.ts";
import { createCommand } from "../../../src/store/dispatch/commands.ts";
import type { Claimant } from "../../../src/store/dispatch/lease.ts";
import {
  type ClaimMark,
  type Message,
  type MessageRef,
  moveMessage,
  readMessage,
  type Right,
} from "../../../src/store/dispatch/message.ts";
import { addNotification } from "../../../src/store/dispatch/notifications.ts";
import { type Store, tx } from "../../../src/store/store.ts";

export const DEAD: Holder = { world: "here", pid: 1, born: "1" };
export const claimant: Claimant = { dispatcherId: "a", leaseSeconds: 60, holder: DEAD };

/** Claims the next command, as a pass does. */
export const claimNext = (store: Store, by: Claimant, types: readonly CommandType[]): Claim | null =>
  tx(store, () => {
    const [next] = claimableCommands(store, types, 1);
    return next === undefined ? null : claimCommand(store, by, next);
  });

/** One message, of a command or about the end of a turn. */
export class Story {
  readonly ref: MessageRef;
  private readonly binding;
  private deliveries = 0;

  constructor(
    readonly store: Store,
    readonly kind: "command" | "turn",
  ) {
    this.binding = store.db
      .query<{ id: string; task_id: string; worker_session_id: string; manager_session_id: string }, []>("select * from bindings")
      .get()!;
    this.ref =
      kind === "command"
        ? { commandId: createCommand(store, { type: "nudge_worker", taskId: this.binding.task_id, payload: { message: "x" } }) }
        : { notificationId: this.notify(null) };
  }

  private notify(commandId: string | null): number {
    const { id, task_id, worker_session_id, manager_session_id } = this.binding;
    const toWorker = commandId !== null;
    return addNotification(this.store, {
      taskId: task_id,
      bindingId: id,
      correlationId: "c",
      sourceSessionId: toWorker ? manager_session_id : worker_session_id,
      targetSessionId: toWorker ? worker_session_id : manager_session_id,
      signalType: toWorker ? "nudge_worker" : "worker_task_complete",
      dedupeKey: this.store.newId("key"),
      ...(commandId === null ? {} : { commandId }),
      mode: "push",
      payload: { message: "x", target_session: "w1" },
    });
  }

  now(): Message {
    return readMessage(this.store, this.ref)!;
  }

  mark(): ClaimMark {
    const { command, attempt, notification } = this.now();
    return command === null ? notification! : { attemptId: attempt?.id ?? -1 };
  }

  right(name: TransitionName): Right {
    const { by } = TRANSITIONS[name];
    if (by === "anyone") return { by, claimant };
    if (by === "holder") return { by, claim: this.mark(), claimant };
    if (by === "recovery") return { by, seen: this.now(), gone: [DEAD], claimant };
    return { by, deliveryId: this.now().delivery?.id ?? "none" };
  }

  /** Makes a move with everything that belongs to it; false: it was refused. */
  move(name: TransitionName, right: Right = this.right(name)): boolean {
    return tx(this.store, () => {
      const { delivery, flags }: Writes = TRANSITIONS[name].writes;
      const write = () => this.writeDelivery(delivery, flags);
      const moved = moveMessage(this.store, this.ref, name, right, { error: "because", delivery: write }) !== null;
      // A command gets its notification when it is routed.
      if (moved && name === "claim" && this.kind === "command" && this.now().notification === null)
        this.notify((this.ref as { commandId: string }).commandId);
      return moved;
    });
  }

  private writeDelivery(state: Writes["delivery"], flags: Writes["flags"]): void {
    const { notification, command, delivery } = this.now();
    if (state === null) return;
    if (state !== "sending") {
      if (delivery === null) return;
      const proof = state === "delivered" ? "seen" : "pending";
      const [started, completed] = flags!;
      const end = {
        state,
        proof,
        sideEffectStarted: started === 1,
        sideEffectCompleted: completed === 1,
        error: null,
        lookedTo: null,
      } as const;
      endDelivery(this.store, delivery.id, end, []);
      return;
    }
    const id = `delivery-${notification!.id}-${++this.deliveries}`;
    const whom = { session_id: notification!.target_session_id, session_name: "w1", task_id: this.binding.task_id };
    const what = { text_digest: "d", text_lines: 1, text_length: 1, thread_id: null, rollout_path: null, start_offset: null };
    const how = { transport: "tmux", state, proof: "pending", side_effect_started: 1, sender_pid: 1, error: null } as const;
    const of = { command_id: command?.id ?? null, notification_id: notification!.id };
    addDelivery(this.store, { id, client_id: id, origin: "test", ...whom, ...what, ...how, ...of }, []);
  }

  /** Everything that is on record of it. */
  snapshot(): string {
    const tables = ["commands", "command_attempts", "routed_notifications", "deliveries", "message_claims"];
    return JSON.stringify(tables.map((table) => this.store.db.query(`select * from ${table}`).all()));
  }
}

/** Writes of a delivery that its text has arrived, as whoever sees the proof does. */
export const arrive = (store: Store, id: string): void =>
  void endDelivery(
    store,
    id,
    { state: "delivered", proof: "seen", sideEffectStarted: true, sideEffectCompleted: true, error: null, lookedTo: null },
    [],
  );
