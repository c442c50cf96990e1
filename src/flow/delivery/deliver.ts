/** The one entrance for everything that is said to a session: chooses the rung, sends once, looks for proof, records all of it. */
import type { Context } from "../../context.ts";
import { notSent, type Verdict } from "../../core/delivery/delivery.ts";
import { Failure } from "../../core/failure.ts";
import { plainWords } from "../../core/delivery/same-text.ts";
import type { Store } from "../../store/store.ts";
import { whereListed } from "../observe/whereabouts.ts";
import { deliverByProtocol, type FoundServer, wayByProtocol } from "./protocol.ts";
import { newestTurn } from "../reach/open-turn.ts";
import { deliverByQueue } from "./queue.ts";
import { disturbance } from "./undisturbed.ts";
import { deliverByTmux, mayQueue, typeBlindly } from "./tmux.ts";
import { Journal, type Parcel } from "./journal.ts";
import { reach, recipientOf } from "../reach/recipient.ts";

export interface Delivered extends Omit<Verdict, "lookedTo"> {
  readonly id: string;
  /** Where it went, as tmux targets are written; null without a pane. */
  readonly target: string | null;
}

/** Sends once and never throws for what happens on the way: every outcome is told, and recorded in `deliveries`. */
export async function deliver(cx: Context, store: Store, parcel: Parcel): Promise<Delivered> {
  // It may have gone on to another conversation, and be followed there.
  const served = await wayByProtocol(cx, store, parcel.recipient);
  const recipient = served === null ? whereListed(cx, store, parcel.recipient) : recipientOf(served.session);
  const journal = new Journal(cx, store, { ...parcel, recipient });
  let verdict: Verdict;
  try {
    const inTheWay = parcel.undisturbed ? await disturbance(cx, store, recipient) : null;
    verdict =
      inTheWay === null
        ? ((await byProtocol(cx, store, journal, served)) ?? (await chooseRung(cx, journal)))
        : { ...notSent(null, "Disturbed", `nothing was said: ${inTheWay}`), later: true };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const said = { error: error.message, errorType: error.name, hint: error instanceof Failure ? (error.hint ?? null) : null };
    verdict = { ...notSent(null, error.name, error.message), ...said, ...(journal.started ? { state: "unknown", started: true } : {}) };
  }
  journal.end(verdict);
  const { lookedTo: _, ...told } = verdict;
  const { tmuxSession, paneId } = parcel.recipient;
  return { id: journal.id, target: tmuxSession === null ? null : (paneId ?? tmuxSession), ...told };
}

/** Null: another way may do. A server that died before anything was said to it is looked for once more: it is started again at once. */
async function byProtocol(cx: Context, store: Store, journal: Journal, found: FoundServer | null): Promise<Verdict | null> {
  if (found === null) return null;
  try {
    return await deliverByProtocol(cx, journal, found);
  } catch (error) {
    const { recipient } = journal.parcel;
    const next = journal.started ? null : await wayByProtocol(cx, store, recipient);
    if (next === null || next.session.codex_session_id !== recipient.threadId) throw error;
    return deliverByProtocol(cx, journal, next);
  }
}

/** @param again the pane turned out to show another conversation, so all is looked at once more */
async function chooseRung(cx: Context, journal: Journal, again = false): Promise<Verdict> {
  const { recipient, steer } = journal.parcel;
  const way = steer && recipient.agent.queue?.colleague !== true ? null : await reach(cx, recipient);
  if (way === null || (steer && !way.live))
    return notSent(
      null,
      "NoProtocol",
      `${JSON.stringify(recipient.name)} cannot be reached by its agent's protocol, which putting words into a turn needs`,
    );
  journal.note("reach", {
    pane: way.pane?.paneId ?? null,
    agent: way.agent?.label ?? null,
    live: way.live,
    provable: way.provable,
    ...(way.doubt === null ? {} : { doubt: way.doubt.why }),
  });
  const { name } = recipient;
  if (steer && newestTurn(recipient.agent, recipient.rolloutPath) !== "open")
    return notSent(null, "NoTurn", `no turn runs in ${JSON.stringify(name)} that could take it at its next step`);
  if (way.pane !== null && way.agent === null) return typeBlindly(cx, journal, way, way.pane);
  // An Enter alone would submit what a person has half typed, or answer a question.
  if (plainWords(journal.parcel.text) === "") return notSent(null, "NothingToSay", `an empty text says nothing to ${JSON.stringify(name)}`);
  // What commands the agent itself means nothing in its queue.
  const byQueue = async () => (mayQueue(journal.parcel, way) ? await deliverByQueue(cx, journal, way) : null);
  const first = (steer || journal.parcel.colleague) && recipient.agent.queue?.colleague ? await byQueue() : null;
  if (first !== null && (first.started || steer)) return first;
  if (way.pane !== null && way.agent !== null) {
    const typed = await deliverByTmux(cx, journal, way.pane, way.agent, way);
    if (typed === "moved" && !again) return chooseRung(cx, journal, true);
    if (typed === "moved")
      return notSent("tmux", "PaneMoved", `nothing was typed: the pane of ${JSON.stringify(name)} shows something else now`);
    if (typed !== "queue") return typed;
  }
  const queued = first ?? (await byQueue());
  if (queued !== null && (way.pane !== null || queued.started)) return queued;
  const why = way.doubt?.why ?? queued?.error ?? `${JSON.stringify(name)} has no terminal and no live thread`;
  return { ...notSent("inbox", "PullRequired", `${why}: it has to ask its inbox`, way.doubt?.help ?? null), state: "pull_required" };
}
