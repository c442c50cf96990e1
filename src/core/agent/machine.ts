/**
 * What the other two halves of an agent's port give: its machine half (`system/agent/agents.ts`) and its own index
 * (`store/agent-index.ts`).
 */

import type { ServedLine } from "./protocol.ts";
import type { ModelScript, ScriptedModel } from "./scripted-model.ts";

/** Who writes a session's transcript. */
export interface Writer {
  /** Some living process writes it. */
  readonly held: boolean;
  /** That process, where the system tells. */
  readonly pid: number | null;
}

/** A session that lives, as its agent lists it. */
export interface LiveSession {
  readonly id: string;
  readonly pid: number;
  readonly cwd: string;
  /** The pane of tmux that it was started in. */
  readonly paneId: string | null;
  /** Milliseconds since the epoch. */
  readonly startedAt: number | null;
  /** `waiting`: for a person's answer. */
  readonly status: "idle" | "busy" | "waiting" | null;
  /** Since when, in milliseconds since the epoch. */
  readonly statusAt: number | null;
  /** What it waits for, in the agent's words. */
  readonly waitsFor: string | null;
}

/** The list that an agent itself keeps of its sessions while they live. */
export interface SessionList {
  sessions(home: string): LiveSession[];
  /** What changes when the list does: a folder, to be watched. */
  folder(home: string): string;
}

/** What a queue answered; `error` is a refusal in words, nothing was changed then. */
export type QueueAnswer<T> = { readonly value: T } | { readonly error: string };

type Environment = Readonly<Record<string, string | undefined>>;

/** Where a queue is: the agent's home, and the environment in which its program is found and run. */
export interface QueuePlace {
  readonly home: string;
  readonly env: Environment;
}

/** The agent's own queue of a session: a live one takes a message up by itself. */
export interface AgentQueue {
  /**
   * Adds a text under our own id, which then stands in the transcript beside it. Add once: nobody notices doubles.
   * @returns the id of the queued item. A throw means that nothing is known about the outcome.
   */
  add(place: QueuePlace, sessionId: string, text: string, clientId: string): Promise<QueueAnswer<string>>;
  /** Takes an item back. True: it will never run. False: it was taken up already. Null: what was added cannot be taken back. */
  readonly withdraw: ((place: QueuePlace, sessionId: string, itemId: string) => Promise<QueueAnswer<boolean>>) | null;
}

/** The machine half of an agent's own protocol. */
export interface ServedMachine {
  /**
   * Connects to the server on this socket.
   * @throws NoAnswer when it does not greet within `limitMs`, another Error when nobody listens there
   */
  connect(socket: string, limitMs?: number): Promise<ServedLine>;
  /** Takes away what a server that was killed, and so could not do it, has left of its socket. Nobody may listen there any more. */
  clear(socket: string): void;
}

export interface AgentMachine {
  /** The transcript of a session below this home; null when there is none. */
  transcriptOf(home: string, sessionId: string): string | null;
  /** The same file where it lies now: archived, packed, or taken out of the archive since; `path` itself when it is nowhere else. */
  placeOfTranscript(path: string, sessionId: string | null): string;
  /** The file in which the session at `path` goes on after a rewind, the first of them when there are several; null when it does not. */
  nextTranscript(path: string, sessionId: string | null): string | null;
  /** The file in which the session at `path` is written now; `path` itself when its form tells nothing. */
  newestTranscript(path: string, sessionId: string | null): string;
  /** Where a session that was begun in this folder is written, also before it is; null where that is not known beforehand. */
  transcriptPlace(home: string, sessionId: string, cwd: string): string | null;
  /** Transcripts below this home last written at `since` (milliseconds) or later. */
  transcriptsSince(home: string, since: number): string[];
  /** Who writes a session; null when it cannot be told. */
  writer(home: string, sessionId: string): Writer | null;
  /** Null when the agent keeps no list of those of its sessions that live. */
  readonly list: SessionList | null;
  /** Every session of this home that is being written now, with its writer where the system tells. */
  written(home: string): Map<string, number | null>;
  /** The file that the writer of a session holds open while it does, where its pid is not told. */
  writerFile(home: string, sessionId: string): string;
  readonly queue: AgentQueue | null;
  /** Null when it has no protocol of its own. */
  readonly served: ServedMachine | null;
  /** Serves a script on a free loopback port, by the API that the agent talks to its model, until it is stopped. */
  scriptedModel(script: ModelScript): ScriptedModel;
  /** What stands in its home that tells how it works here. */
  homeFacts(home: string): { readonly daemonRunning: boolean; readonly writerLocks: boolean };
}

/** A session in the index that the agent itself keeps. */
export interface IndexedThread {
  readonly id: string;
  readonly rolloutPath: string;
  readonly cwd: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** The whole first prompt; empty before the first turn. */
  readonly firstMessage: string;
}
