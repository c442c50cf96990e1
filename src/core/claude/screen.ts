/** What a Claude Code terminal shows. */
import type { Screen, StartupVerdict } from "../agent/screen.ts";

/** @param capture as tmux prints it, better with styles; @param mode tmux's own mode in front of the program, or null */
export const readScreen = (capture: string, mode: string | null = null): Screen => ({
  page: mode !== null ? "copy_mode" : capture.trim() === "" ? "blank" : "unknown",
  asks: false,
  dialog: null,
  accept: null,
  composer: null,
  working: false,
  queued: [],
});

export const startupVerdict = (screen: string): StartupVerdict => ({
  state: "starting",
  reason: screen.trim() === "" ? "the screen is blank" : "the screen shows nothing that is known",
});

/** A sentence part for a person: what stands on the screen. */
export const screenWords = ({ page }: Screen): string => `Claude Code shows ${page}`;
