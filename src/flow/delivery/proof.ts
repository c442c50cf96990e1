/** Looks for a text in the receiver's rollout, from where it ended when the sending began, and on in the file that a rewind begins. */
import { basename, dirname } from "node:path";
import type { Agent } from "../../core/agent/agent.ts";
import { factsOf } from "../../core/agent/facts.ts";
import type { Transport } from "../../core/delivery/delivery.ts";
import { proofLines, type SoughtText, type UserItem } from "../../core/delivery/proof.ts";
import { claimProof, deliveryOfClient, followDelivery, textsAround } from "../../store/deliveries.ts";
import type { Store } from "../../store/store.ts";
import { machineOf } from "../../system/agent/agents.ts";
import { sha256 } from "../../system/files/digest.ts";
import { openRollout } from "../../system/files/rollout-reader.ts";
import { watchFolder } from "../../system/files/watch.ts";

interface Sought extends SoughtText {
  /** Of the delivery. */
  readonly id: string;
  readonly agent: Agent;
  readonly threadId: string | null;
  readonly rolloutPath: string;
  readonly from: number;
}

/** Whether this way hands our id on into the record: the agent's protocol and its queue do, a composer does not. */
export const handsIdOn = (agent: Agent, transport: Transport | null): boolean =>
  transport !== null && (transport === agent.queue?.transport || transport === agent.served?.transport);

export class ProofSearch {
  private path: string;
  private offset: number;
  private aborted = false;
  constructor(
    private readonly store: Store,
    readonly sought: Sought,
  ) {
    this.path = sought.rolloutPath;
    this.offset = sought.from;
  }

  /** The file of the thread in which it is looked for now. */
  get rolloutPath(): string {
    return this.path;
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
    return lookTogether(this.sought.agent, this.path, [this]).length > 0;
  }

  /** Goes on in the file that a rewind has begun: nothing of the one before is repeated there. */
  follow(path: string): void {
    followDelivery(this.store, this.sought.id, path);
    this.path = path;
    this.offset = 0;
  }

  /** Takes in one line of the rollout; true when it proves the arrival. */
  see(line: SeenLine): boolean {
    if (line.offset < this.offset) return false;
    if (line.aborts) this.aborted = true;
    const { user, offset } = line;
    if (user === null) return false;
    const { id, threadId } = this.sought;
    const known = {
      foreign: (clientId: string) => (deliveryOfClient(this.store, clientId) ?? id) !== id,
      others: () => textsAround(this.store, { path: this.path, offset, threadId }),
    };
    return proofLines(user, this.sought, known, sha256).some((place) => claimProof(this.store, id, { offset, line: place }));
  }

  /** Everything before this byte was seen. */
  passed(next: number): void {
    this.offset = Math.max(this.offset, next);
  }
}

interface SeenLine {
  readonly offset: number;
  readonly aborts: boolean;
  /** What a user said; null: it is something else. */
  readonly user: UserItem | null;
}

function seenLine(agent: Agent, text: string, offset: number): SeenLine {
  const { transcript } = agent;
  const aborts = transcript.mayAbort(text);
  // Most lines are long and none of ours: they are not parsed.
  if (!transcript.mayProve(text)) return { offset, aborts, user: null };
  return { offset, aborts, user: factsOf(agent, text).find((fact) => fact.kind === "user") ?? null };
}

/**
 * Reads what is new of one rollout once, for all of these, and of what its thread goes on in. Gives those whose proof stands there; one that
 * was archived meanwhile is read where it lies now, under its old name.
 */
export function lookTogether(agent: Agent, rolloutPath: string, searches: readonly ProofSearch[]): ProofSearch[] {
  const thread = searches.find(({ sought }) => sought.threadId !== null)?.sought.threadId ?? null;
  const machine = machineOf(agent);
  // Asked first: once there is a next file, nothing more is written to this one.
  const next = searches.length === 0 ? null : machine.nextTranscript(rolloutPath, thread);
  const found = readOn(agent, machine.placeOfTranscript(rolloutPath, thread), searches);
  if (next === null) return found;
  const open = searches.filter((search) => !found.includes(search));
  for (const search of open) search.follow(next);
  return [...found, ...lookTogether(agent, next, open)];
}

function readOn(agent: Agent, path: string, searches: readonly ProofSearch[]): ProofSearch[] {
  const file = openRollout(path);
  if (file === null) return [];
  const found: ProofSearch[] = [];
  try {
    let open = searches.filter((search) => search.lookedTo < file.size);
    for (let from = Math.min(...open.map((search) => search.lookedTo)); open.length > 0;) {
      const { lines, next, more } = file.read(from);
      for (const line of lines) {
        const seen = line.text === null ? null : seenLine(agent, line.text, line.offset);
        if (seen === null || (!seen.aborts && seen.user === null)) continue;
        const proven = open.filter((search) => search.see(seen));
        if (proven.length === 0) continue;
        found.push(...proven);
        open = open.filter((search) => !proven.includes(search));
      }
      for (const search of open) search.passed(next);
      if (!more || lines.length === 0) break;
      from = next;
    }
  } finally {
    file.close();
  }
  return found;
}

/** Being told when the rollout has grown; where the system does not tell, a short sleep must do. */
export class RolloutGrowth {
  private wake = (): void => {};
  private grown = false;
  private readonly watch;
  /** @param threadId whose further files count, too */
  constructor(path: string, threadId: string | null) {
    const mark = threadId ?? basename(path);
    this.watch = watchFolder(dirname(path), (name) => {
      if (name !== null && !name.includes(mark)) return;
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

/** Looks until the text stands in the record, at most this long; 0: one look. */
export async function seenWithin(search: ProofSearch, growth: RolloutGrowth, ms: number): Promise<boolean> {
  for (const end = performance.now() + ms; ;) {
    if (search.look()) return true;
    const rest = end - performance.now();
    if (rest <= 0) return false;
    await growth.wait(rest);
  }
}
