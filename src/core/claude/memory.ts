/**
 * What the lines of a transcript that were read say for those that follow: which turn is open, what was last said in it, how many tokens
 * were counted. It is told by the stored records alone, so that it is the same whether it was carried on or is read from them again.
 */
import type { AgentRecord } from "../agent/record.ts";
import { isObject, type JsonObject } from "../json.ts";
import { type Counts, noTokens, numberOf, storedCounts, textOf } from "./lines.ts";

interface OpenTurn {
  readonly id: string | null;
  /** Its number in the session; null: none was written. */
  readonly index: number | null;
  /** The newest line of a chain that began with the first words of the turn: what hangs below it was sent together with them. */
  tip: string | null;
  /** The model has begun to answer. */
  answered: boolean;
  /** The last text of its answer. */
  lastText: string | null;
}

/** What is written late of a turn that another one has overtaken. */
interface Overtaken {
  /** Lines that belong to it. */
  readonly lines: Set<string>;
  /** Its last message of the model. */
  readonly message: string | null;
  /** It had said nothing yet, and the other hangs below it: its mark comes behind the words that begin the other. */
  readonly unmarked: boolean;
}

export class Memory {
  /** The transcript has named its session. */
  begun = false;
  /** null: none is open; undefined: the lines that would tell were not read. */
  turn: OpenTurn | null | undefined = undefined;
  overtaken: Overtaken | null = null;
  tokens: Counts = noTokens;
  /** The message of the model that was counted last. */
  counted: string | null = null;

  /** Takes in a record, in the order in which they are stored. */
  see({ subtype, payload }: AgentRecord): void {
    this.begun = true;
    const line = isObject(payload.claude) ? payload.claude : {};
    const [uuid, parent] = [textOf(line.uuid), textOf(line.parent)];
    switch (subtype) {
      case "task_started":
        this.turn = { id: textOf(payload.turn_id), index: numberOf(line.turn_index), tip: uuid, answered: false, lastText: null };
        this.overtaken = line.overtakes === true ? overtakenBy(line, parent) : null;
        return;
      case "task_complete":
      case "turn_aborted":
        this.turn = null;
        this.overtaken = null;
        return;
      case "token_count":
        this.tokens = storedCounts(isObject(payload.info) ? payload.info.total_token_usage : undefined);
        this.counted = textOf(line.message_id);
        this.answers();
        return;
      case "agent_message":
        this.answers();
        if (this.turn) this.turn.lastText = textOf(payload.message);
        return;
      default:
        // An overtaken turn is marked once; what is marked behind that is the one which runs.
        if (payload.type === "user/mark") this.overtaken = null;
        this.hangs(line, uuid, parent);
    }
  }

  private answers(): void {
    if (this.turn) this.turn.answered = true;
  }

  private hangs({ type }: JsonObject, uuid: string | null, parent: string | null): void {
    if (type === "assistant") this.answers();
    if (uuid === null || parent === null) return;
    if (this.turn && !this.turn.answered && parent === this.turn.tip) this.turn.tip = uuid;
    if (type !== "assistant" && this.overtaken?.lines.has(parent) === true) this.overtaken.lines.add(uuid);
  }

  /** Whether words hang directly below those that began the turn, or those that were sent with them, and nothing was answered yet. */
  hangsBelow(parent: string | null): boolean {
    return !!this.turn && !this.turn.answered && parent !== null && parent === this.turn.tip;
  }

  /** Whether words were sent together with those that began the turn. One that was taken back leaves its number to the next, beside it. */
  isBatch(parent: string | null, index: number | null): boolean {
    const known = this.turn?.index ?? null;
    return this.hangsBelow(parent) && (index === null || known === null || index === known);
  }

  /** Whether a line is a late one of the turn that was overtaken. */
  isLate(parent: string | null, message: string | null): boolean {
    if (this.overtaken === null) return false;
    const { lines, message: last, unmarked } = this.overtaken;
    return (parent !== null && lines.has(parent)) || (message !== null && message === last) || (unmarked && this.hangsBelow(parent));
  }
}

const overtakenBy = (line: JsonObject, parent: string | null): Overtaken => ({
  lines: new Set(parent === null ? [] : [parent]),
  message: textOf(line.message_id),
  unmarked: line.unmarked === true,
});

/** @param newest the stored records, newest first; read back to where a turn began or ended and tokens were counted */
export function remember(newest: Iterable<AgentRecord>): Memory {
  const memory = new Memory();
  const sinceTurn: AgentRecord[] = [];
  let counts: AgentRecord | null = null;
  let told = false;
  for (const record of newest) {
    if (!told) sinceTurn.push(record);
    if (record.subtype === "token_count") counts ??= record;
    told ||= record.subtype === "task_started" || record.subtype === "task_complete" || record.subtype === "turn_aborted";
    if (told && counts !== null) break;
  }
  if (counts !== null) memory.see(counts);
  for (const record of sinceTurn.reverse()) memory.see(record);
  return memory;
}
