/**
 * Turns that were broken off with nothing written of that: a Codex app-server that is killed leaves its turn open in the rollout, and the
 * one that takes its place knows it as interrupted (0.169.0, 0.171.0).
 */
import type { Context } from "../../context.ts";
import type { ServedLine } from "../../core/agent/protocol.ts";
import type { Session } from "../../core/sessions/session.ts";
import { turnSign } from "../../core/sessions/worker-state.ts";
import { newestTurnEvent, noteBroken } from "../../store/observe/codex-events.ts";
import type { Store } from "../../store/store.ts";
import { settleAsks } from "./asks.ts";
import { ingest } from "./ingest.ts";

/** Asks the server of a turn that stands open. @throws Failure as {@link ingest}; Error when the server does not answer */
export async function lookForBroken(cx: Context, store: Store, session: Session, line: ServedLine): Promise<void> {
  ingest(cx, store, session, true);
  const open = newestTurnEvent(store, session.id);
  if (open === null || open.broken || turnSign(open) !== "open") return;
  const turn = await line.newestTurn(session.codex_session_id!);
  if (turn?.status !== "interrupted") return;
  // What was written of its end, or of the next one, stands there by now.
  ingest(cx, store, session, true);
  noteBroken(store, session.id, open.id);
  settleAsks(store, session);
}
