/**
 * The inbox of a living Claude Code session: a socket that takes messages from other sessions, one line each (its documentation calls it
 * cross-session messaging; the line was measured with 2.1.332). Nothing comes back: the receipt is our id in the transcript.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { QueueAnswer, QueuePlace } from "../../core/agent/machine.ts";
import { isObject } from "../../core/json.ts";
import { commandLineOf } from "../processes/processes.ts";
import { livingSessions, type RegisteredClaude } from "./registry.ts";
import { permissionModeIn, transcriptOf } from "./transcripts.ts";

const LIMIT_MS = 5000;

/**
 * Puts a text into the inbox under our own id.
 * @returns that id. A throw means that nothing is known about the outcome
 */
export async function addToInbox(
  { home, env }: QueuePlace,
  sessionId: string,
  text: string,
  clientId: string,
): Promise<QueueAnswer<string>> {
  const [session, another] = livingSessions(home).filter(({ id }) => id === sessionId);
  if (session === undefined) return { error: "the session is not in the list that Claude Code keeps of those that live" };
  if (another !== undefined) return { error: `processes ${session.pid} and ${another.pid} both run the session` };
  if (session.inbox === null) return { error: "the session takes no messages from other sessions" };
  if (await holdsBack(home, session, env))
    return { error: "the session asks nobody before it acts, and holds what others say to it until a person has looked at it" };
  // What the same sender says twice within half a minute is dropped, and so is what goes beyond 30 at once, then one in two seconds
  // (2.1.332): our words are each a message of its own, which nobody sends in circles, and its receipt names it.
  const from = `conveyor:${clientId}`;
  const line = { msgV: 1, msg_id: clientId, from, type: "user", message: { role: "user", content: text }, priority: "next" };
  return send(session.inbox, `${JSON.stringify(line)}\n`, clientId);
}

const BYPASS = "bypassPermissions";

function accepts(settings: string): boolean {
  try {
    const value: unknown = JSON.parse(settings);
    return isObject(value) && value.crossSessionInbound === "accept";
  } catch {
    return false;
  }
}

/**
 * Whether a page in its pane would ask a person about each message: so it is in this mode, but for a setting, which every start of ours
 * gives it (2.1.332). One that is only believed to do so is spoken to in another way.
 */
async function holdsBack(home: string, { id, pid }: RegisteredClaude, env: QueuePlace["env"]): Promise<boolean> {
  const words = (await commandLineOf(pid, env)) ?? [];
  const begun = words.some((word) => word === "--dangerously-skip-permissions" || word.endsWith(BYPASS)) ? BYPASS : null;
  if ((permissionModeIn(transcriptOf(home, id)) ?? begun) !== BYPASS) return false;
  const file = join(home, "settings.json");
  const settings = [...words.map((word) => word.replace(/^--settings=/, "")), ...(existsSync(file) ? [readFileSync(file, "utf8")] : [])];
  return !settings.some(accepts);
}

/** Only a connection that was never made is a refusal: what was written in part may have been read. */
async function send(socket: string, line: string, id: string): Promise<QueueAnswer<string>> {
  const bytes = Buffer.from(line);
  const end = Promise.withResolvers<QueueAnswer<string>>();
  let sent = 0;
  const push = (connection: { write(data: Uint8Array): number; end(): void }): void => {
    sent += connection.write(bytes.subarray(sent));
    if (sent < bytes.length) return;
    // First of the two: it tells of its end before it returns.
    end.resolve({ value: id });
    connection.end();
  };
  const timer = setTimeout(
    () => end.reject(new Error(`its inbox took ${sent} of ${bytes.length} bytes within ${LIMIT_MS / 1000} s`)),
    LIMIT_MS,
  );
  try {
    const connection = await Bun.connect({
      unix: socket,
      socket: {
        open: push,
        drain: push,
        data: () => {},
        close: () => end.reject(new Error("its inbox closed before all was written")),
        error: (_socket, error) => end.reject(error),
      },
    }).catch((error: Error) => ({ refused: error.message }));
    if ("refused" in connection) return { error: `its inbox is not there: ${connection.refused}` };
    return await end.promise;
  } finally {
    clearTimeout(timer);
  }
}
