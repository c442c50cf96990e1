/** What a page can do: a table of actions, each with the shape of its input, run by the same functions as the commands. */
import * as v from "valibot";
import type { Context } from "../../context.ts";
import { Failure, UsageError } from "../../core/failure.ts";
import { eventsAfter, lastEventId, type RecordedEvent } from "../../store/record/events.ts";
import type { Action } from "./action.ts";
import { contractActions } from "./contract.ts";
import { recordActions } from "./records.ts";
import { speechActions } from "./speech.ts";
import { workActions } from "./work.ts";

/** What an action gives back to the page. */
export interface Receipt {
  readonly done: true;
  /** One sentence for a person. */
  readonly said: string;
  /** Rows that were written, in plain words. */
  readonly wrote: readonly string[];
  readonly events: readonly RecordedEvent[];
  readonly result?: unknown;
}

export interface Refused {
  readonly done: false;
  readonly said: string;
  readonly hint: string | null;
}

const TABLE: Readonly<Record<string, Action>> = { ...recordActions, ...contractActions, ...speechActions, ...workActions };

export class Actions {
  constructor(
    private readonly cx: Context,
    private readonly path: string | undefined,
  ) {}

  knows(name: string): boolean {
    return Object.hasOwn(TABLE, name);
  }

  /** Runs an action. Never throws for what a user or another program did: that is a refusal. */
  async run(name: string, input: unknown): Promise<Receipt | Refused> {
    const entry = TABLE[name]!;
    const read = v.safeParse(entry.input, input);
    if (!read.success) {
      const issue = read.issues[0];
      return { done: false, said: `${v.getDotPath(issue) ?? "the input"}: ${issue.message}`, hint: null };
    }
    const store = this.cx.store(this.path);
    const before = lastEventId(store);
    try {
      const outcome = await entry.run({ cx: this.cx, store, path: this.path }, read.output as never);
      return {
        done: true,
        said: outcome.said,
        wrote: outcome.wrote ?? [],
        events: eventsAfter(store, before, 20),
        ...(outcome.result !== undefined && { result: outcome.result }),
      };
    } catch (error) {
      if (error instanceof Failure) return { done: false, said: error.message, hint: error.hint ?? null };
      if (error instanceof UsageError || String((error as { code?: unknown }).code ?? "").startsWith("SQLITE_"))
        return { done: false, said: (error as Error).message, hint: null };
      throw error;
    }
  }
}
