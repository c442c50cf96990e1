/** The rung of the agent's own queue: no keys at all, a receipt under our own id, and taken back when it is not taken up. */
import type { Context } from "../../context.ts";
import type { Agent } from "../../core/agent/agent.ts";
import type { Screen } from "../../core/agent/screen.ts";
import { arrived, notSent, type Verdict } from "../../core/delivery/delivery.ts";
import { machineOf } from "../../system/agent/agents.ts";
import { capturePane } from "../../system/terminal/panes.ts";
import type { Journal } from "./journal.ts";
import { newestTurn } from "../reach/open-turn.ts";
import { type ProofSearch, RolloutGrowth, seenWithin } from "./proof.ts";
import type { Reach } from "../reach/recipient.ts";

/** A session looks at its queue every few seconds, at times only after ten. */
const TAKE_MS = 25_000;
/** One that nothing is taken back from is emptied at once, but for a turn that runs. */
const PROOF_MS = 15_000;
/** What was taken up before it could be taken back shows within this. */
const TAKEN_MS = 5_000;

/** Adds the text to the queue of the live thread. */
export async function deliverByQueue(cx: Context, journal: Journal, way: Reach): Promise<Verdict> {
  const { recipient, text, proofMs } = journal.parcel;
  const { agent } = recipient;
  const { queue } = machineOf(agent);
  const transport = agent.queue?.transport;
  if (queue === null || transport === undefined || way.home === null)
    return notSent(null, "QueueUnavailable", `${agent.label} has no queue of its own`);
  const place = { home: way.home, env: cx.env };
  const thread = recipient.threadId!;
  journal.markRollout();
  const search = journal.search(transport);
  if (search === null) return notSent(transport, "NothingToSay", "an empty text cannot be put into a queue");
  if (!journal.begin(transport, true)) return notSent(transport, "LeaseLost", "the claim on this message was lost before it was sent");
  const who = JSON.stringify(recipient.name);
  const later = { hint: `do not send it again; ${cx.program} deliveries --explain ${journal.id}`, errorType: "NotProven" };
  const open = (state: Verdict["state"], error: string): Verdict => ({
    ...arrived(transport, search.lookedTo),
    ...later,
    state,
    proof: "pending",
    completed: false,
    accepted: state === "typed",
    error,
  });
  let item: string;
  try {
    const added = await queue.add(place, thread, text, journal.clientId);
    if ("error" in added) return notSent(transport, "QueueRefused", added.error);
    item = added.value;
  } catch (error) {
    // Nobody knows whether it was added: the rollout may tell, under our own id.
    if (await seen(search, TAKE_MS)) return arrived(transport, search.lookedTo);
    return open("unknown", `the queue of ${who} did not answer (${(error as Error).message}), and its rollout does not show the message`);
  }
  journal.note("queued", { item });
  if (await seen(search, queue.withdraw === null ? (proofMs ?? PROOF_MS) : Math.max(proofMs ?? 0, TAKE_MS)))
    return arrived(transport, search.lookedTo);
  // While a turn runs the message only waits for its end; where nothing runs, as after an interrupt, it would wait for ever.
  const screen = await screenOf(cx, agent, way);
  if (screen === null ? newestTurn(agent, search.rolloutPath) === "open" : screen.working || (screen.asks && queue.withdraw === null))
    return open(
      "typed",
      `the message waits in the queue of ${who} for ${screen?.asks ? "the answer to what it asks" : "the end of its turn"}`,
    );
  if (queue.withdraw === null) return open("unknown", `the message was put into the queue of ${who}, and its rollout does not show it`);
  const back = await queue.withdraw(place, thread, item).catch((error: Error) => ({ error: error.message }));
  if ("value" in back && back.value) {
    journal.note("taken back", { item });
    return notSent(
      transport,
      "NotTakenUp",
      `${who} did not take the message up: ${screen === null ? "its queue stands still" : agent.screen.describe(screen)}; nothing was ` +
        "delivered",
      `try again when ${recipient.name} is free`,
    );
  }
  if (await seen(search, TAKEN_MS)) return arrived(transport, search.lookedTo);
  return open("unknown", `the message to ${who} could not be taken back from its queue, and its rollout does not show it`);
}

/** What its pane shows; null without one. */
async function screenOf(cx: Context, agent: Agent, way: Reach): Promise<Screen | null> {
  const text = way.pane === null ? null : await capturePane(cx.env, way.pane.paneId, 0, true).catch(() => null);
  return text === null ? null : agent.screen.read(text, null);
}

async function seen(search: ProofSearch, limitMs: number): Promise<boolean> {
  const growth = new RolloutGrowth(search.rolloutPath, search.sought.threadId);
  try {
    return await seenWithin(search, growth, limitMs);
  } finally {
    growth.close();
  }
}
