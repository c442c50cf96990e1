/** Verdicts on what a Claude Code terminal shows: how far a start has come, and whether it waits for somebody. */
import { LIVELY, waits } from "../agent/waits.ts";
import type { Finding, PageName, Screen, StartupVerdict, WaitQuestion } from "../agent/screen.ts";
import { readScreen } from "./screen.ts";

/** What stands on a screen that Claude Code has left, or never came to fill. */
const failed = /\b(unable to connect|failed to connect|error:|cannot be used|is already in use|no conversation found)/i;

export function startupVerdict(text: string): StartupVerdict {
  const { page, working, composer } = readScreen(text);
  if (page === "folder_trust") return { state: "needs_trust", reason: "Claude Code asks whether to trust the folder" };
  if (working) return { state: "working", reason: "Claude Code is working" };
  if (composer !== null) return { state: "ready", reason: "Claude Code shows its prompt" };
  if (page === "unknown" && failed.test(text)) return { state: "error", reason: "the screen speaks of an error" };
  return { state: "starting", reason: page === "blank" ? "the screen is blank" : "the screen shows nothing that takes a prompt" };
}

const ofPage: Readonly<Partial<Record<PageName, Finding>>> = {
  folder_trust: waits.trust,
  command_approval: waits.approval,
  plan_approval: waits.plan,
};

/** Words ask nothing here: a page that waits is known by its structure, and any words can stand above a composer. */
export function waitOf(screen: Screen, _text: string, { statusAge, busyWaitSeconds, recentEvents = 0 }: WaitQuestion): Finding | null {
  if (statusAge !== null && statusAge < busyWaitSeconds) return null;
  if (screen.asks) return ofPage[screen.page] ?? waits.enter;
  return screen.working && statusAge !== null && recentEvents < LIVELY ? waits.long : null;
}
