/** Sending a text to a session for Dispatch: the durable mark before it can arrive, the lease kept alive while it takes. */
import type { Context } from "../context.ts";
import type { Session } from "../core/session.ts";
import type { Claimant } from "../store/lease.ts";
import type { Store } from "../store/store.ts";
import { deleteBuffer, hasSession, loadBuffer, pasteBuffer, sendReturn } from "../system/tmux.ts";

export interface Parcel {
  readonly target: Session;
  readonly text: string;
  /** Called right before anything can arrive: makes that durable. False: the claim was lost, nothing may be sent. */
  begin(): boolean;
  /** Prolongs the lease. */
  extend(): boolean;
}

/** How a sending went. `started` without `completed`: it may have arrived. */
export interface Sent {
  readonly started: boolean;
  readonly completed: boolean;
  readonly error: string | null;
  readonly errorType: string | null;
  /** Where the text went, as tmux targets are written. */
  readonly target: string;
  readonly transport: string | null;
  readonly proof: string | null;
}

/** Sends the parcel and never throws: every outcome is told. */
export async function push(cx: Context, parcel: Parcel, claimant: Claimant): Promise<Sent> {
  const keeper = setInterval(() => void parcel.extend(), (claimant.leaseSeconds * 1000) / 3);
  const name = parcel.target.tmux_session ?? "";
  const pane = parcel.target.tmux_pane_id;
  const buffer = `conveyor-${crypto.randomUUID()}`;
  let started = false;
  const base = { target: pane ? `${name}:${pane}` : name, transport: "tmux", proof: "unavailable" };
  try {
    if (!(await hasSession(cx.env, name))) return { ...base, started, completed: false, error: `tmux session ${JSON.stringify(name)} is not running`, errorType: "SessionNotRunning" };
    await loadBuffer(cx.env, buffer, parcel.text);
    if (!parcel.begin()) return { ...base, started, completed: false, error: "the claim was lost before sending", errorType: "LeaseLost" };
    started = true;
    await pasteBuffer(cx.env, buffer, pane ?? name);
    await sendReturn(cx.env, pane ?? name);
    return { ...base, started, completed: true, error: null, errorType: null };
  } catch (error) {
    return { ...base, started, completed: false, error: (error as Error).message, errorType: (error as Error).name };
  } finally {
    clearInterval(keeper);
    await deleteBuffer(cx.env, buffer);
  }
}

/** What an item tells about a message that was sent. */
export const sendResult = (store: Store, parcel: Pick<Parcel, "target" | "text">, sent: Sent): Record<string, unknown> => ({
  dry_run: false,
  session: parcel.target.name,
  side_effect_started: sent.started,
  side_effect_completed: sent.completed,
  target: sent.target,
  text: parcel.text,
  time: store.now(),
  transport: sent.transport,
  proof: sent.proof,
});
