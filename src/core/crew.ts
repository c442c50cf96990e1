/** What is told of a worker to who leads it. */
import type { Item } from "./attention/item.ts";
import type { Turn, WorkerState } from "./sessions/worker-state.ts";

/** What a worker waits for before it can go on. */
export type WaitsFor = Pick<Item, "id" | "kind" | "text" | "since" | "resets_at">;

/** One worker of a crew, as it stands now. */
export interface CrewRow {
  readonly manager: string;
  readonly task: string;
  readonly task_id: string;
  readonly worker: string;
  readonly agent: string;
  /** null: this machine. */
  readonly host: null;
  /** Whether it runs; null when nothing is recorded that could be asked. */
  readonly alive: boolean | null;
  readonly state: WorkerState;
  readonly turn: Turn;
  /** Since when its turn stands so. */
  readonly since: string | null;
  /** null: for nothing that a person or its manager could give. */
  readonly waits_for: WaitsFor | null;
  /** Accepted criteria that are not satisfied yet. */
  readonly open_criteria: number;
  /** Messages in its inbox that it has not taken. */
  readonly unread: number;
  /** Messages of its task in the manager's inbox. */
  readonly unread_by_manager: number;
  /** The folder it works in. */
  readonly folder: string;
  /** null: its folder lies in no repository, HEAD is detached, or that could not be told. */
  readonly branch: string | null;
  /** Files that are not as HEAD has them, all counted; null where that could not be told. */
  readonly changed_files: number | null;
  /** Their names, the first hundred. */
  readonly files: readonly string[];
  /** Its tokens for this task; null: it has told none. */
  readonly tokens: number | null;
  /** First line of what it said last at the end of a turn. */
  readonly last_words: string | null;
}
