/** Who writes a session's thread: its writer lock and its registered process. */
import type { Session } from "../../core/sessions/session.ts";
import type { WriterSigns } from "../../core/sessions/worker-state.ts";
import { alive } from "../../system/processes/processes.ts";
import { recipientOf, threadLock } from "./recipient.ts";

export const writerSigns = (session: Session): WriterSigns => ({
  lockHeld: threadLock(recipientOf(session))?.held ?? null,
  processAlive: session.pid === null ? null : alive(session.pid),
});
