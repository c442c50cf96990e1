/** Looks for a text in the receiver's rollout, from where it ended when the sending began. */
import { basename, dirname } from "node:path";
import type { Agent } from "../../core/agent/agent.ts";
import { readFact } from "../../core/agent/record.ts";
import { placesIn } from "../../core/delivery/delivery.ts";
import { claimProof } from "../../store/deliveries.ts";
import type { Store } from "../../store/store.ts";
import { sha256 } from "../../system/files/digest.ts";
import { openRollout } from "../../system/files/rollout-reader.ts";
import { watchFolder } from "../../system/files/watch.ts";

export interface Sought {
  readonly id: string;
  readonly agent: Agent;
  readonly rolloutPath: string;
  readonly from: number;
  readonly digest: string;
  readonly lines: number;
  /** Stands beside the text when an agent's queue handed it on. */
  readonly clientId: string;
}

/** Bytes of the rollout now; 0 while there is none. */
export function rolloutSize(path: string): number {
  const file = openRollout(path);
  file?.close();
  return file?.size ?? 0;
}

export class ProofSearch {
  private offset: number;
  private aborted = false;
  constructor(
    private readonly store: Store,
    private readonly sought: Sought,
  ) {
    this.offset = sought.from;
  }

  /** Everything before this was looked at. */
  get lookedTo(): number {
    return this.offset;
  }

  /** A turn was interrupted in what was looked at. */
  get sawAbort(): boolean {
    return this.aborted;
  }

  /** Reads what is new. True when the text stands there and proves no other sending: it is taken as the proof of this one. */
  look(): boolean {
    const file = openRollout(this.sought.rolloutPath);
    if (file === null || file.size <= this.offset) {
      file?.close();
      return false;
    }
    try {
      for (;;) {
        const { lines, next, more } = file.read(this.offset);
        for (const line of lines) if (line.text !== null && this.proves(line.text, line.offset)) return true;
        this.offset = next;
        if (!more || lines.length === 0) return false;
      }
    } finally {
      file.close();
    }
  }

  private proves(text: string, offset: number): boolean {
    if (this.sought.agent.transcript.mayAbort(text)) this.aborted = true;
    // Most lines are long and none of ours: they are not parsed.
    if (!this.sought.agent.transcript.mayProve(text)) return false;
    const record = this.sought.agent.transcript.record(text);
    const fact = record === null ? null : readFact(record);
    if (fact?.kind !== "user") return false;
    const places = fact.clientId === this.sought.clientId ? [0] : placesIn(fact.text, this.sought, sha256);
    return places.some((line) => claimProof(this.store, this.sought.id, { offset, line }));
  }
}

/** Being told when the rollout has grown; where the system does not tell, a short sleep must do. */
export class RolloutGrowth {
  private wake = (): void => {};
  private grown = false;
  private readonly watch;
  constructor(path: string) {
    const file = basename(path);
    this.watch = watchFolder(dirname(path), (name) => {
      if (name !== null && name !== file) return;
      this.grown = true;
      this.wake();
    });
  }

  /** Until the file has changed since the last wait, at most this long. */
  async wait(ms: number): Promise<void> {
    if (!this.grown) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(1, Math.min(ms, 250)));
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.grown = false;
    this.wake = () => {};
  }

  close(): void {
    this.watch?.close();
  }
}
