/**
 * The rung of the agent's own protocol: no key, no screen. The server's acknowledgement is no receipt, our id in the record is. What joined
 * a running turn and is not in the record when that turn is interrupted was lost, and is said again under the same id.
 */
import type { Context } from "../../context.ts";
import { arrived, notSent, type Verdict } from "../../core/delivery/delivery.ts";
import type { ServedLine } from "../../core/agent/protocol.ts";
import { quoteWord } from "../../core/shell.ts";
import { alive, listProcesses, startedAt } from "../../system/processes/processes.ts";
import { sessionById } from "../../store/sessions/sessions.ts";
import type { Store } from "../../store/store.ts";
import { reachFollowed, type Whereabouts } from "../observe/whereabouts.ts";
import type { Recipient } from "../reach/recipient.ts";
import { hungServer, movedTo } from "../reach/served.ts";
import type { Journal } from "./journal.ts";
import { type ProofSearch, RolloutGrowth, seenWithin } from "./proof.ts";

/** From the end of a turn until all that it took stands in the record. */
const WRITTEN_MS = 1500;
const PROOF_MS = 15_000;
/** From the start of a server until it has its conversation again. */
const RESTART_MS = 8000;
/** Looks at a server that cannot be reached, though nothing of its session was started lately: who sees its end starts it again at once. */
const LOOKS = 10;
/** Compacting asks the model; whether it took place is told then, or stands in the record later. */
const COMPACTED_MS = 10_000;

/** The way to a server, and how often it was looked for. */
export type FoundServer = Whereabouts & { readonly looks: number };

/** The way to the server of a session, which is waited for while it is being started again; null for who has none. */
export async function wayByProtocol(cx: Context, store: Store, recipient: Recipient): Promise<FoundServer | null> {
  if (recipient.gone || recipient.socket === null || recipient.sessionId === null) return null;
  let found = await reachFollowed(cx, store, sessionById(store, recipient.sessionId)!);
  let looks = 1;
  for (; found.way.kind === "none" && (await comesBack(cx, recipient, found.way.hung ? LOOKS : looks)); looks += 1) {
    await Bun.sleep(100);
    found = await reachFollowed(cx, store, found.session);
  }
  return { ...found, looks };
}

/** Whether its server may be there soon: its parent in the pane lives, and has started something lately or had no time to. */
async function comesBack(cx: Context, { pid }: Recipient, looks: number): Promise<boolean> {
  if (pid === null || !alive(pid)) return false;
  if (looks < LOOKS) return true;
  for (const { pid: child, parent } of (await listProcesses(cx.env)) ?? [])
    if (parent === pid && Date.now() - ((await startedAt(child, cx.env)) ?? 0) < RESTART_MS) return true;
  return false;
}

/** Says it; null: it cannot be said so, nothing was sent, and another way may do. Closes the line. */
export async function deliverByProtocol(cx: Context, journal: Journal, { way, looks }: FoundServer): Promise<Verdict | null> {
  const { recipient } = journal.parcel;
  const { transport } = recipient.agent.served!;
  journal.note("server", { found: way.kind, looks, ...(way.kind === "none" ? { why: way.why } : {}) });
  if (way.kind === "none") {
    if (!way.hung) return null;
    const hung = hungServer(cx, recipient.name, "nothing was sent");
    // A busy machine may be all that is the matter: a queue tries again, of which nothing is lost by that.
    return { ...notSent(transport, "ServerHung", hung.message, hung.hint ?? null), later: true };
  }
  if (way.kind === "moved") {
    const moved = movedTo(cx, recipient, way.to);
    return notSent(transport, "PaneMoved", moved.message, moved.hint ?? null);
  }
  const { line } = way;
  if (way.kind === "leaving") {
    line.close();
    return { ...notSent(transport, "TurnLeftBehind", ...leftBehind(cx, recipient, way)), later: true };
  }
  try {
    return await (journal.parcel.asCommand ? compact(journal, line) : say(cx, journal, line));
  } finally {
    line.close();
  }
}

type Leaving = Extract<Whereabouts["way"], { kind: "leaving" }>;

/** What is told when the person has gone on, and a turn of the conversation before is not over. */
function leftBehind(cx: Context, { name, threadId }: Recipient, { to, conversation }: Leaving): [error: string, hint: string] {
  const asks = conversation.waits === null ? "" : `${cx.program} answer ${quoteWord(name)} shows what it asks; `;
  return [
    `the pane of ${JSON.stringify(name)} shows thread ${to} now, and the turn that it left behind in ${threadId} is not over`,
    `${asks}say it again when that turn has ended: it goes to the thread in its pane then`,
  ];
}

/** Compacting is a call of its own, which no page in front and no draft can swallow; other commands of the agent are typed. */
async function compact(journal: Journal, line: ServedLine): Promise<Verdict | null> {
  const { recipient, text } = journal.parcel;
  if (text !== recipient.agent.keys.slash.compact) return null;
  const { transport } = recipient.agent.served!;
  const threadId = recipient.threadId!;
  const compacted = new Promise<boolean>((resolve) =>
    line.hear((event) => void (event.kind === "compacted" && event.threadId === threadId && resolve(true))),
  );
  await line.follow(threadId);
  if (!journal.begin(transport, true)) return notSent(transport, "LeaseLost", "the claim on this message was lost before it was sent");
  const done = await line.compact(threadId);
  if ("refused" in done) return notSent(transport, "ProtocolRefused", `it was not compacted: ${done.refused}`);
  const seen = await Promise.race([compacted, line.ended.then(() => false), Bun.sleep(COMPACTED_MS).then(() => false)]);
  return { ...arrived(transport, null), ...(seen ? {} : { proof: "pending" }) };
}

async function say(cx: Context, journal: Journal, line: ServedLine): Promise<Verdict | null> {
  const { recipient, text, proofMs = PROOF_MS } = journal.parcel;
  const { transport } = recipient.agent.served!;
  const threadId = recipient.threadId!;
  journal.markRollout();
  const search = journal.search(transport);
  if (search === null) return notSent(transport, "NothingToSay", "an empty text cannot be said");
  const course = new TurnCourse(line, threadId);
  await line.follow(threadId);
  const turn = journal.parcel.steer ? await line.newestTurn(threadId) : null;
  if (journal.parcel.steer && turn?.status !== "running") return noTurn(journal);
  let steers = turn;
  if (!journal.begin(transport, true)) return notSent(transport, "LeaseLost", "the claim on this message was lost before it was sent");
  const growth = new RolloutGrowth(recipient.rolloutPath!, threadId);
  const deadline = performance.now() + proofMs;
  try {
    for (;;) {
      const sent = await (
        steers ? line.steer(threadId, steers.id, text, journal.clientId) : line.say(threadId, text, journal.clientId)
      ).catch(() => null);
      if (sent !== null && "refused" in sent) {
        journal.note("refused", { said: sent.refused });
        journal.notTaken();
        // The turn that it was meant for had ended before it came.
        return steers ? noTurn(journal) : null;
      }
      journal.note(sent === null ? "no answer" : "taken", sent === null ? {} : { turn: sent.value });
      const outcome = await arrival(search, growth, course, sent?.value ?? null, deadline);
      if (outcome === "seen") return arrived(transport, search.lookedTo);
      if (outcome === "late") {
        const now = course.over ? null : await line.conversation(threadId).catch(() => "silent" as const);
        return waiting(cx, journal, search, course.over ? "over" : now === "silent" ? now : now?.waits != null ? "asks" : "works");
      }
      journal.note("lost with its turn", { turn: sent?.value ?? null });
      if (journal.parcel.undisturbed) return takenOver(journal, search);
      steers = null;
    }
  } finally {
    growth.close();
  }
}

/** Somebody interrupted the turn that it joined: it is theirs now. */
const takenOver = ({ parcel: { recipient } }: Journal, search: ProofSearch): Verdict => ({
  ...arrived(recipient.agent.served!.transport, search.lookedTo),
  state: "unknown",
  proof: "pending",
  completed: false,
  accepted: false,
  error: `the turn of ${JSON.stringify(recipient.name)} that it joined was interrupted, and the record does not show it`,
  errorType: "NotProven",
});

const noTurn = ({ parcel: { recipient } }: Journal): Verdict =>
  notSent(
    recipient.agent.served!.transport,
    "NoTurn",
    `no turn runs in ${JSON.stringify(recipient.name)} that could take it at its next step`,
    "say it without --steer: it begins a turn of its own then",
  );

/** How turns of one conversation end, as the server tells. */
class TurnCourse {
  private readonly ended = new Map<string, string>();
  private wake = (): void => {};
  over = false;
  constructor(line: ServedLine, threadId: string) {
    line.hear((event) => {
      if (event.kind !== "turn" || event.threadId !== threadId || event.turn.status === "running") return;
      this.ended.set(event.turn.id, event.turn.status);
      this.wake();
    });
    void line.ended.then(() => {
      this.over = true;
      this.wake();
    });
  }

  interrupted(turn: string | null): boolean {
    return turn !== null && this.ended.get(turn) === "interrupted";
  }

  /** Until something ended, or the other is done. */
  next(other: Promise<void>): Promise<void> {
    return Promise.race([other, new Promise<void>((resolve) => (this.wake = resolve))]);
  }
}

/** `lost`: the turn that it joined was interrupted, and the record does not have it. */
async function arrival(
  search: ProofSearch,
  growth: RolloutGrowth,
  course: TurnCourse,
  turn: string | null,
  deadline: number,
): Promise<"seen" | "late" | "lost"> {
  for (;;) {
    if (search.look()) return "seen";
    if (course.interrupted(turn)) return (await seenWithin(search, growth, WRITTEN_MS)) ? "seen" : "lost";
    const rest = deadline - performance.now();
    if (rest <= 0 || course.over) return (await seenWithin(search, growth, course.over ? WRITTEN_MS : 0)) ? "seen" : "late";
    await course.next(growth.wait(rest));
  }
}

/**
 * Not yet: it stands in the record when the running turn takes its next step, or is said again when that turn is interrupted.
 * @param server `over`: it has ended, and the text is looked for, and said again, when there is one again; `silent`: it has hung; `asks`:
 * that turn waits for an answer first
 */
function waiting(cx: Context, journal: Journal, search: ProofSearch, server: "over" | "silent" | "asks" | "works"): Verdict {
  const { name } = journal.parcel.recipient;
  const who = JSON.stringify(name);
  const errors = {
    over: `the server of ${who} ended before anything showed that the message arrived`,
    silent: `the server of ${who} does not answer, and nothing shows yet whether the message arrived`,
    asks: `${who} asks something, and the message waits until that is answered`,
    works: `the message waits for the next step of the turn that runs in ${who}`,
  };
  return {
    ...arrived(journal.parcel.recipient.agent.served!.transport, search.lookedTo),
    state: "typed",
    proof: "pending",
    completed: false,
    error: errors[server],
    errorType: "NotProven",
    hint:
      server === "asks"
        ? `${cx.program} answer ${quoteWord(name)} shows what it asks; do not send this again`
        : `do not send it again; ${cx.program} deliveries --explain ${journal.id}`,
  };
}
