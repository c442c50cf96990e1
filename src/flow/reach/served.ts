/** Reaching a session by its own server: a connection, and whether the conversation that a person has in front is the one on record. */
import { machineOf } from "../../system/agent/agents.ts";
import type { ServedConversation, ServedLine } from "../../core/agent/protocol.ts";
import type { Context } from "../../context.ts";
import { Failure } from "../../core/failure.ts";
import { type Recipient, takeOnRecord } from "./recipient.ts";

/** A server that is there answers at once. */
const CONNECT_MS = 5000;

export type ServedReach =
  /** It cannot be reached so; another way may do. */
  | { readonly kind: "none"; readonly why: string }
  /** The pane has gone on to another conversation. */
  | { readonly kind: "moved"; readonly to: string }
  | { readonly kind: "here"; readonly line: ServedLine; readonly conversation: ServedConversation };

/** Connects and looks; whoever gets a line closes it. */
export async function reachServed(recipient: Pick<Recipient, "agent" | "socket" | "threadId">): Promise<ServedReach> {
  const { agent, socket, threadId } = recipient;
  const { served } = machineOf(agent);
  if (served === null || socket === null || threadId === null) return { kind: "none", why: "it has no server of its own" };
  let line: ServedLine;
  try {
    line = await served.connect(socket, CONNECT_MS);
  } catch (error) {
    return { kind: "none", why: `its server cannot be reached: ${(error as Error).message}` };
  }
  try {
    const all = await line.conversations();
    const own = all.find(({ id }) => id === threadId);
    const after = all.filter(({ createdAt, id }) => id !== threadId && (own === undefined || createdAt >= own.createdAt));
    // A conversation that began later in this very program is what its person has gone on to.
    const newest = after.sort((one, other) => one.createdAt - other.createdAt).at(-1);
    if (newest !== undefined) {
      line.close();
      return { kind: "moved", to: newest.id };
    }
    if (own !== undefined) return { kind: "here", line, conversation: own };
    line.close();
    return { kind: "none", why: "its server has not loaded its conversation" };
  } catch (error) {
    line.close();
    return { kind: "none", why: `its server did not answer: ${(error as Error).message}` };
  }
}

/** What is told when nothing is said to a session since its pane shows another conversation. */
export const movedTo = (cx: Context, recipient: Recipient, thread: string): Failure =>
  new Failure(`the pane of ${JSON.stringify(recipient.name)} shows thread ${thread} now, not ${recipient.threadId}`, {
    hint: takeOnRecord(cx, recipient, thread),
  });
