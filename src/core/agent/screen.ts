/** What can be seen of an agent's terminal, whichever agent it is: the page in front, its composer, what a start and a wait look like. */

/** The page in front: the first of these that fits, in this order. */
export type PageName =
  | "copy_mode"
  | "folder_trust"
  | "api_key"
  | "bypass_warning"
  | "settings_warning"
  | "update_offer"
  | "rate_limit"
  | "sign_in"
  | "server_features"
  | "command_approval"
  | "question"
  | "plan_approval"
  | "held_message"
  | "rewind"
  | "choice"
  | "search"
  | "transcript"
  | "overlay"
  | "draft"
  /** One more key of those that interrupt ends the agent. */
  | "leaving"
  | "queued_input"
  | "working"
  /** The composer of a client that is still coming up: a page that asks may cover it in a moment, and take what was typed. */
  | "starting"
  | "idle"
  | "blank"
  | "unknown";

/** What a page asks about. */
export type DialogKind = "command" | "file" | "permission" | "question" | "plan" | "held" | "other";

/** How one of the choices of a page is given. */
export interface DialogAnswer {
  /** As it stands before the choice; null: none does. */
  readonly number: number | null;
  /** `yes` and `no`, where it is one of them for this once and no more; else the words of the choice. */
  readonly word: string;
  /**
   * The next keys on the way to it, as the page stands: those that choose it, or those that only go to it, after which the page is to be
   * read again. Null: not known to be certain.
   */
  readonly keys: readonly string[] | null;
}

/** In front of a subject whose begin the screen has no room for. */
export const CUT = "…\n";

/** A page that asks something and takes every key. */
export interface Dialog {
  readonly question: string;
  readonly choices: readonly string[];
  /** Index of the choice that Enter would take; -1: none is marked. */
  readonly chosen: number;
  readonly kind: DialogKind;
  /** What would be run, written, begun or delivered, as the page shows it; null: it shows nothing of that kind. */
  readonly subject: string | null;
  /** One for each of the choices. */
  readonly answers: readonly DialogAnswer[];
  /** Words that are pasted there, and Enter, are an answer. */
  readonly takesText: boolean;
}

export interface Composer {
  /** Nothing typed: no text, or only the hint. */
  readonly empty: boolean;
  readonly text: string;
  /** What is typed here would run as a shell command. */
  readonly shell: boolean;
}

export interface Screen {
  readonly page: PageName;
  /** The page waits for an answer and takes every key. */
  readonly asks: boolean;
  readonly dialog: Dialog | null;
  /**
   * The next keys on the way to a yes, where the page asks whether to trust the folder and these are certain to say it; null for any other
   * page, and while its choices are not seen or another one is chosen.
   */
  readonly accept: readonly string[] | null;
  readonly composer: Composer | null;
  readonly working: boolean;
  /** Messages that wait for the next tool call or the end of the turn. */
  readonly queued: readonly string[];
}

export type StartupState = "needs_trust" | "ready" | "working" | "error" | "starting";

/** How far a start has come. */
export interface StartupVerdict {
  readonly state: StartupState;
  readonly reason: string;
}

/** A pattern on a screen that waits for somebody. */
export interface Finding {
  readonly pattern: string;
  readonly reason: string;
  readonly recommended_action: string;
}

export interface WaitQuestion {
  /** Seconds since the worker last showed a change of state; null: unknown, which suppresses nothing. */
  readonly statusAge: number | null;
  readonly busyWaitSeconds: number;
  /** Records that were read just now. */
  readonly recentEvents?: number;
}
