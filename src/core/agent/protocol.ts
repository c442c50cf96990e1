/** The port of an agent, where it can be spoken to by a protocol of its own: a server for each session, its socket, and what it says. */
import type { JsonObject } from "../json.ts";

/** A conversation that the server of a session has loaded and a person may have in front. */
export interface ServedConversation {
  readonly id: string;
  /** Where it is written; null before its first turn. */
  readonly path: string | null;
  readonly cwd: string | null;
  /** When it began, in milliseconds since the epoch; its id tells, since the server's own time of it moves on with rewinds. */
  readonly begunAt: number;
  /** It was begun by a program that draws it for a person; else by some other client of the server. */
  readonly drawn: boolean;
  readonly state: "idle" | "active" | "broken";
  /** What it waits for. */
  readonly waits: "approval" | "answer" | null;
}

export type ServedTurnStatus = "running" | "completed" | "interrupted" | "failed";

export interface ServedTurn {
  readonly id: string;
  readonly status: ServedTurnStatus;
}

/** One thing that a person may choose. */
export interface AskChoice {
  /** As `answer` takes it besides its number: `yes`, `no`, or the words of an option. */
  readonly word: string;
  /** What choosing it means, in words. */
  readonly label: string;
}

/** Something that the agent asks and that waits for an answer. */
export interface AgentAsk {
  /** The server's own id of it, as JSON. */
  readonly requestId: string;
  readonly threadId: string;
  readonly turnId: string | null;
  /** What is asked about, as the server's own steps name it. */
  readonly itemId: string | null;
  readonly kind: "command" | "file" | "permission" | "question" | "form" | "plan" | "held";
  /** What it asks, in one line. */
  readonly question: string;
  /** What would be run; null when it is about something else. */
  readonly command: string | null;
  /** Where. */
  readonly cwd: string | null;
  readonly reason: string | null;
  readonly choices: readonly AskChoice[];
  /** Whether words of one's own are an answer. */
  readonly takesText: boolean;
  /** As it came, for the answer. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** How an ask is answered: the choice at this place, or words. */
export type AskAnswer = { readonly choice: number } | { readonly text: string };

/** What a server tells of itself: hints that wake, never the authority. */
export type ServedEvent =
  | { readonly kind: "turn"; readonly threadId: string; readonly turn: ServedTurn }
  /** A conversation began, by a person's command or by another client. */
  | { readonly kind: "began"; readonly threadId: string }
  /** A conversation was taken up again by a client that draws it: a hint that the person may have it in front now. */
  | { readonly kind: "taken up"; readonly threadId: string }
  /** A conversation goes on in another file. */
  | { readonly kind: "rewound"; readonly threadId: string }
  | { readonly kind: "asks"; readonly ask: AgentAsk }
  | { readonly kind: "answered"; readonly threadId: string; readonly requestId: string }
  | { readonly kind: "compacted"; readonly threadId: string }
  /** Nothing runs in it, and it waits for nothing. */
  | { readonly kind: "rests"; readonly threadId: string }
  /** How much of its account's limits is used: a `rate_limits` in the stored form. */
  | { readonly kind: "limits"; readonly limits: JsonObject }
  /** Waiting, tokens. */
  | { readonly kind: "news"; readonly threadId: string | null };

/** An answer of the server: done, or refused in words with nothing changed. */
export type Served<T> = { readonly value: T } | { readonly refused: string };

/** With what a conversation is gone on with. */
export interface TakenUp {
  readonly cwd: string;
  readonly sandbox: string;
  readonly approval: string;
  /** Null: as it was, or as the agent is set up. */
  readonly model: string | null;
  readonly effort: string | null;
}

/** Somebody listens there and does not answer in time: it has hung. */
export class NoAnswer extends Error {}

/**
 * A connection to the server of one session. A call throws when nothing is known of its outcome: the connection was lost, or no answer
 * came in time.
 */
export interface ServedLine {
  /**
   * This conversation, where it is loaded, and those that began after it, oldest first: those that a person may have in front. Hidden ones
   * and helpers' are left out.
   */
  conversationsSince(id: string): Promise<ServedConversation[]>;
  /** One that is loaded; null when it is not. */
  conversation(id: string): Promise<ServedConversation | null>;
  /** From now on its turns and asks are told, and what it asks right now is told again. Gives it as it stands then. */
  follow(id: string): Promise<Served<ServedConversation | null>>;
  /** Puts words into it under our id: a turn of their own, or at the next step of the turn that runs. Gives that turn's id. */
  say(id: string, text: string, clientId: string): Promise<Served<string>>;
  /** Puts words into this running turn only. */
  steer(id: string, turnId: string, text: string, clientId: string): Promise<Served<string>>;
  newestTurn(id: string): Promise<ServedTurn | null>;
  interrupt(id: string, turnId: string): Promise<Served<null>>;
  compact(id: string): Promise<Served<null>>;
  /**
   * Takes up a conversation that has ended, with these permissions and this model, for as long as this connection is there or it is drawn.
   * Gives why that cannot be; null: it is as asked.
   */
  takeUp(id: string, choice: TakenUp): Promise<string | null>;
  /** Answers what {@link AgentAsk} told; who answers first wins, and a late answer does nothing. */
  answer(ask: AgentAsk, answer: AskAnswer): void;
  /**
   * Whether the tools of a session in this folder could connect to its socket; null: its settings do not tell.
   * @param sandbox null: as the agent is set up
   */
  reachableFromTools(cwd: string, sandbox: string | null): Promise<boolean | null>;
  /** Called for everything that is told. */
  hear(listener: (event: ServedEvent) => void): void;
  /** Comes when the connection has ended, by us or by the server. */
  readonly ended: Promise<void>;
  close(): void;
}
