/**
 * The rung of the agent's own protocol: no key, no screen. The server's acknowledgement is no receipt, our id in the record is. What joined a
 * running turn and is not in the record when that turn is interrupted was lost, and is said again under the same id.
 */
import type { Context } from "../../context.ts";
import { notSent, type Verdict } from "../../core/delivery/delivery.ts";
import type { ServedLine } from "../../core/agent/protocol.ts";
import { movedTo, reachServed } from "../reach/served.ts";
import type { Journal } from "./journal.ts";
import { type ProofSearch, RolloutGrowth, seenWithin } from "./proof.ts";

/** From the end of a turn until all that it took stands in the record. */
const WRITTEN_MS = 1500;
const PROOF_MS = 15_000;

/** Says it; null: it cannot be said so, nothing was sent, and another way may do. */
export async function deliverByProtocol(cx: Context, journal: Journal): Promise<Verdict | null> {
  const { recipient } = journal.parcel;
  const { transport } = recipient.agent.served ?? { transport: null };
  if (transport === null || recipient.socket === null) return null;
  const way = await reachServed(recipient);
  journal.note("server", { found: way.kind, ...(way.kind === "none" ? { why: way.why } : {}) });
  if (way.kind === "none") return null;
  if (way.kind === "moved") {
    const moved = movedTo(cx, recipient, way.to);
    return notSent(transport, "PaneMoved", moved.message, moved.hint ?? null);
  }
  const { line } = way;
  try {
    return await say(cx, journal, line);
  } finally {
    line.close();
  }
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
  if (!journal.begin(transport, true)) return notSent(transport, "LeaseLost", "the claim on this message was lost before it was sent");
  const growth = new RolloutGrowth(recipient.rolloutPath!);
  const deadline = performance.now() + proofMs;
  try {
    for (;;) {
      const sent = await line.say(threadId, text, journal.clientId).catch(() => null);
      if (sent !== null && "refused" in sent) {
        journal.note("refused", { said: sent.refused });
        return null;
      }
      journal.note(sent === null ? "no answer" : "taken", sent === null ? {} : { turn: sent.value });
      const outcome = await arrival(search, growth, course, sent?.value ?? null, deadline);
      if (outcome === "seen") return arrived(transport, search);
      if (outcome === "late") return waiting(cx, journal, search);
      journal.note("lost with its turn", { turn: sent?.value ?? null });
    }
  } finally {
    growth.close();
  }
}

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

const arrived = (transport: Verdict["transport"], search: ProofSearch): Verdict => ({
  state: "delivered",
  transport,
  proof: "seen",
  started: true,
  completed: true,
  accepted: true,
  error: null,
  errorType: null,
  hint: null,
  lookedTo: search.lookedTo,
});

/** Not yet: it stands in the record when the running turn takes its next step, or is said again when that turn is interrupted. */
function waiting(cx: Context, journal: Journal, search: ProofSearch): Verdict {
  const who = JSON.stringify(journal.parcel.recipient.name);
  return {
    ...arrived(journal.parcel.recipient.agent.served!.transport, search),
    state: "typed",
    proof: "pending",
    completed: false,
    error: `the message waits for the next step of the turn that runs in ${who}`,
    errorType: "NotProven",
    hint: `do not send it again; ${cx.program} deliveries --explain ${journal.id}`,
  };
}
