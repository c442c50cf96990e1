/** The record of one sending while it happens: its steps, the durable mark before anything can arrive, its verdict. */
import type { Context } from "../../context.ts";
import { type DeliveryStep, fingerprint, type Transport, type Verdict } from "../../core/delivery/delivery.ts";
import {
  addDelivery,
  dropText,
  endDelivery,
  keepText,
  type NewDelivery,
  noteLeft,
  redirectDelivery,
  stillTyping,
} from "../../store/deliveries.ts";
import { type Store, tx } from "../../store/store.ts";
import { machineOf } from "../../system/agent/agents.ts";
import { sha256 } from "../../system/files/digest.ts";
import { alive } from "../../system/processes/processes.ts";
import { handsIdOn, ProofSearch } from "./proof.ts";
import { writtenTo } from "../reach/open-turn.ts";
import type { Recipient } from "../reach/recipient.ts";

export interface Parcel {
  readonly recipient: Recipient;
  readonly text: string;
  /** The command that sends it. */
  readonly origin: string;
  /** Typed as it is: a leading `/` commands the agent. */
  readonly asCommand?: boolean;
  /** It is another session's word, or Dispatch's, and not a person's: it may go where the agent takes it for a colleague's. */
  readonly colleague?: boolean;
  /** Nobody asked for it: only while nobody types there and nothing is asked, and by no way around that. */
  readonly undisturbed?: boolean;
  /** Only into the turn that runs, at its next step. */
  readonly steer?: boolean;
  readonly taskId?: string | null;
  readonly commandId?: string | null;
  readonly notificationId?: number | null;
  /**
   * Called with the id of the delivery inside the transaction that marks the sending as begun. False: it may not be sent (a claim was
   * lost).
   */
  begin?(deliveryId: string): boolean;
  /** Called inside the transaction that ends the sending; has to call `write`, which writes the row of the delivery. */
  end?(verdict: Verdict, write: () => void): void;
  /** How long to look for the proof; 15 s unless said otherwise. */
  readonly proofMs?: number;
}

/** Nobody waits longer for what another types. */
const TYPING_MS = 5000;

export class Journal {
  readonly id: string;
  readonly clientId: string;
  private readonly steps: DeliveryStep[] = [];
  private readonly mark: { digest: string; lines: number };
  private rollout: string | null;
  private startOffset: number | null = null;
  private begun = false;
  private away = false;

  constructor(
    private readonly cx: Context,
    private readonly store: Store,
    readonly parcel: Parcel,
  ) {
    this.id = store.newId("delivery");
    this.clientId = this.id.slice("delivery-".length);
    this.rollout = parcel.recipient.rolloutPath;
    this.mark = fingerprint(parcel.text, sha256);
  }

  /** It may have arrived. */
  get started(): boolean {
    return this.away;
  }

  /** The way by which it began has certainly not taken it. */
  notTaken(): void {
    this.away = false;
  }

  /** Notes what was done or seen; written together with the next mark or verdict. */
  note(step: string, detail: Record<string, unknown> = {}): void {
    this.steps.push({ at: this.cx.now(), step, detail });
  }

  /** Remembers where the rollout ends, from where on the proof is looked for. Gives the rollout: the newest file of the thread. */
  markRollout(): string | null {
    const { agent, rolloutPath, threadId } = this.parcel.recipient;
    this.rollout = rolloutPath === null ? null : machineOf(agent).newestTranscript(rolloutPath, threadId);
    this.startOffset = this.rollout === null ? null : writtenTo(this.rollout);
    return this.rollout;
  }

  /**
   * Writes, in one transaction with the caller's own mark, that from now on the text may have arrived. False: it may not be sent. Once
   * begun it may go on by another way, when nothing was sent by the first. "taken": what another types may still stand there.
   */
  begin(transport: Transport, provable: boolean): boolean | "taken" {
    const proof = provable ? "pending" : "unavailable";
    return tx(this.store, () => {
      if (this.isTaken(transport)) return "taken";
      if (!this.begun && this.parcel.begin?.(this.id) === false) return false;
      this.note("begun", { transport });
      if (this.begun)
        redirectDelivery(
          this.store,
          this.id,
          { transport, proof, rollout_path: this.rollout, start_offset: this.startOffset },
          this.steps.splice(0),
        );
      else addDelivery(this.store, this.row(transport, "sending", proof, true, null), this.steps.splice(0));
      // What nobody asked for is not said again by itself: whoever interrupted it has taken over.
      const again = transport === this.parcel.recipient.agent.served?.transport && this.parcel.undisturbed !== true;
      if (again) keepText(this.store, this.id, this.parcel.text);
      else if (this.begun) dropText(this.store, this.id);
      this.begun = true;
      this.away = true;
      return true;
    });
  }

  /** Words that do not go out with their first key would be sent as one with those of the next who types. */
  private isTaken(transport: Transport): boolean {
    const { agent, sessionId } = this.parcel.recipient;
    if (transport !== "tmux" || agent.keys.enqueue === null) return false;
    const oldest = Date.parse(this.cx.now()) - TYPING_MS;
    return stillTyping(this.store, sessionId, transport).some(
      ({ id, sender_pid, created_at }) => id !== this.id && alive(sender_pid) && Date.parse(created_at) > oldest,
    );
  }

  /** What was typed has left the composer. */
  left(): void {
    if (this.parcel.recipient.agent.keys.enqueue !== null) noteLeft(this.store, this.id, this.cx.now());
  }

  /** @param transport the way it goes */
  search(transport: Transport): ProofSearch | null {
    const { agent, threadId } = this.parcel.recipient;
    const rolloutPath = this.rollout;
    if (rolloutPath === null || this.startOffset === null || this.mark.lines === 0) return null;
    const carriesId = handsIdOn(agent, transport);
    const { id, clientId, startOffset: from } = this;
    return new ProofSearch(this.store, { id, agent, threadId, rolloutPath, from, clientId, carriesId, ...this.mark });
  }

  /** Writes the verdict, in one transaction with the caller's own end; a sending that never began gets its row here. */
  end(verdict: Verdict): void {
    const { state, proof, started, completed, error, lookedTo } = verdict;
    this.note(state, { proof, ...(error === null ? {} : { error }) });
    const steps = this.steps.splice(0);
    const write = (): void => {
      const end = { state, proof, sideEffectStarted: started, sideEffectCompleted: completed, error, lookedTo };
      if (this.begun) endDelivery(this.store, this.id, end, steps);
      else addDelivery(this.store, this.row(verdict.transport, state, proof, false, error), steps);
    };
    tx(this.store, () => (this.parcel.end === undefined ? write() : this.parcel.end(verdict, write)));
  }

  private row(
    transport: Transport | null,
    state: NewDelivery["state"],
    proof: NewDelivery["proof"],
    started: boolean,
    error: string | null,
  ): NewDelivery {
    const { recipient, origin, text, taskId, commandId, notificationId } = this.parcel;
    return {
      id: this.id,
      origin,
      session_id: recipient.sessionId,
      session_name: recipient.name,
      task_id: taskId ?? null,
      command_id: commandId ?? null,
      notification_id: notificationId ?? null,
      client_id: this.clientId,
      transport,
      state,
      proof,
      text_digest: this.mark.digest,
      text_lines: this.mark.lines,
      text_length: text.length,
      thread_id: recipient.threadId,
      rollout_path: this.rollout,
      start_offset: this.startOffset,
      side_effect_started: started ? 1 : 0,
      sender_pid: process.pid,
      error,
    };
  }
}
