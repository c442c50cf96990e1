/** What the worker's screen says beside its rollout: a waiting pattern, a page, or that it cannot be seen. */
import type { Context } from "../../context.ts";
import type { Agent } from "../../core/agent/agent.ts";
import { agentOf } from "../../core/agent/agents.ts";
import type { Finding, PageName, Screen, WaitQuestion } from "../../core/agent/screen.ts";
import { Failure } from "../../core/failure.ts";
import type { Session } from "../../core/sessions/session.ts";
import { findPlace, viewPane } from "../reach/pane.ts";
import { sessionSubject } from "../reach/subject.ts";

interface PaneSignal {
  readonly captured: boolean;
  readonly classifier: Finding | null;
  /** A terminal is recorded, but its screen could not be read. */
  readonly degraded: boolean;
  readonly notable_pattern: string | null;
  readonly page: PageName | null;
  readonly reason: string;
  readonly status_age_seconds: number | null;
}

const HISTORY = 200;

/** What a page asks, told at once: it is seen, not guessed from how long nothing has happened. */
const asked = (agent: Agent, screen: Screen): string =>
  `${agent.screen.describe(screen)}${screen.dialog === null || screen.dialog.question === "" ? "" : `: ${screen.dialog.question}`}`;

/** The one verdict on what stands in a worker's terminal: what it waits for, and the same in words, which name a page that asks also while `finding` is silent. */
export function judgeScreen(
  agent: Agent,
  { screen, text }: { readonly screen: Screen; readonly text: string },
  question: WaitQuestion,
): { finding: Finding | null; reason: string | null } {
  const finding = agent.screen.waitOf(screen, text, question);
  return { finding, reason: screen.asks ? asked(agent, screen) : (finding?.reason ?? null) };
}

/** Looks once. Never throws for what tmux says. */
export async function paneSignal(
  cx: Context,
  worker: Session,
  question: { statusAge: number | null; busyWaitSeconds: number; recentEvents: number },
): Promise<PaneSignal> {
  const unseen = { captured: false, classifier: null, page: null, status_age_seconds: question.statusAge };
  try {
    const agent = agentOf(worker);
    const placed = await findPlace(cx, sessionSubject(worker));
    if (!placed.pane) {
      if (placed.why === "no_tmux") return { ...unseen, degraded: false, notable_pattern: null, reason: placed.reason };
      return {
        ...unseen,
        degraded: true,
        notable_pattern: placed.why === "missing" ? "tmux_session_missing" : "pane_signal_error",
        reason: placed.reason,
      };
    }
    const view = await viewPane(cx, agent, placed.pane, HISTORY);
    const { finding, reason } = judgeScreen(agent, view, question);
    return {
      captured: true,
      classifier: finding,
      degraded: false,
      notable_pattern: finding?.pattern ?? null,
      page: view.page,
      reason: reason ?? "nothing on the screen waits",
      status_age_seconds: question.statusAge,
    };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { ...unseen, degraded: true, notable_pattern: "pane_signal_error", reason: error.message };
  }
}
