/** Who writes a session's thread: its writer lock and its registered process. */
import type { Context } from "../context.ts";
import type { Session } from "../core/session.ts";
import type { WriterSigns } from "../core/worker-state.ts";
import { codexHome } from "../system/codex-home.ts";
import { writerLock } from "../system/codex-lock.ts";
import { alive } from "../system/processes.ts";

/** The CODEX_HOME in which a rollout lies; that of the environment when its path does not tell. */
const homeOf = (cx: Pick<Context, "env">, rollout: string | null): string => /^(.+)\/sessions\/\d{4}\/\d\d\/\d\d\/[^/]+$/.exec(rollout ?? "")?.[1] ?? codexHome(cx.env);

export const writerSigns = (cx: Pick<Context, "env">, session: Session): WriterSigns => ({
  lockHeld: session.codex_session_id === null ? null : (writerLock(homeOf(cx, session.codex_session_path), session.codex_session_id)?.held ?? null),
  processAlive: session.pid === null ? null : alive(session.pid),
});
