/** The port of an agent, as far as its terminal goes: what that shows, and what is typed there. */
import type { Finding, Screen, StartupVerdict, WaitQuestion } from "./screen.ts";

/** What the agent's terminal shows. */
export interface ScreenPort {
  /** The terminal's cursor stands in a composer that takes keys; false: the agent hides it and draws its own, so it tells nothing. */
  readonly cursorShown: boolean;
  /**
   * Reads one screen (the visible part, without history).
   * @param capture as tmux prints it, better with styles; @param mode tmux's own mode in front of the program, or null
   */
  read(capture: string, mode: string | null): Screen;
  /** The page in front, in words. */
  describe(screen: Screen): string;
  /** How far a start has come, by words that stand on the screen. */
  startup(text: string): StartupVerdict;
  /**
   * What the screen waits for: a page that asks is named by what it is, above a composer no words ask anything, and else the first pattern
   * at the end of the text is named. Null when there is none or the worker's state is fresh.
   * @param text what `screen` was read from, or that with history above it
   */
  waitOf(screen: Screen, text: string, question: WaitQuestion): Finding | null;
}

/** What is typed into the agent, and by which keys. */
export interface KeysPort {
  /** The key that interrupts its turn and does no harm when it is idle. */
  readonly interrupt: string;
  /** What puts the words of the composer behind a turn that runs and does nothing on a page that asks; null: Enter, which may answer it. */
  readonly enqueue: string | null;
  /** The keys that take this text out of the composer again. */
  clear(text: string): readonly string[];
  /** Its own commands. */
  readonly slash: { readonly compact: string; readonly clear: string };
  /** The text as it is typed, so that it stays a text: nothing of it runs, opens a list or is cut off. */
  typeable(text: string): string;
  /** The typeable text in the pieces in which it is pasted, [] for none. */
  pastes(text: string): readonly string[];
  /** Whether the placeholder that the composer shows in place of a long text stands for this one; null when it shows none. */
  folds(shown: string, typed: string): boolean | null;
}
