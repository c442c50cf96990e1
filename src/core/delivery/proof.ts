/** When a user item in the receiver's record proves that a text arrived: it has our id, or, where it can carry none, the text whole. */
import { linesOf } from "./delivery.ts";

/** What a text is looked for by. */
interface Fingerprint {
  readonly digest: string;
  /** Lines that have words. */
  readonly lines: number;
}

export interface SoughtText extends Fingerprint {
  readonly clientId: string;
  /** The way it went hands our id on: then nothing but the id counts. */
  readonly carriesId: boolean;
}

/** A user item as the record has it. */
export interface UserItem {
  readonly text: string;
  /** Of the queue that handed it on, or made up by the agent's own composer; null: it carries none. */
  readonly clientId: string | null;
}

/**
 * The lines of the item at which the text stands; none: it proves nothing. What waited together in the agent is merged by an interrupt into
 * one item: there the text counts when all of the item are texts of ours. Lines of ours in the middle of what somebody else says do not.
 * @param known.foreign whether an id is that of another sending
 * @param known.others texts that may have been merged with it
 */
export function proofLines(
  item: UserItem,
  sought: SoughtText,
  known: { foreign(clientId: string): boolean; others(): readonly Fingerprint[] },
  hash: (text: string) => string,
): number[] {
  if (item.clientId === sought.clientId) return [0];
  if (sought.carriesId || sought.lines === 0) return [];
  const lines = linesOf(item.text);
  if (lines.length < sought.lines) return [];
  const stands = (text: Fingerprint, at: number): boolean =>
    at + text.lines <= lines.length && hash(lines.slice(at, at + text.lines).join("\n")) === text.digest;
  const places = lines
    .keys()
    .filter((at) => stands(sought, at))
    .toArray();
  if (places.length === 0 || (item.clientId !== null && known.foreign(item.clientId))) return [];
  if (lines.length === sought.lines) return places;
  const texts = [sought, ...known.others()].filter((text) => text.lines > 0);
  // Which lines can be reached from the first, and from which the end can be reached, by whole texts only.
  const reached = new Set([0]);
  for (let at = 0; at < lines.length; at++)
    if (reached.has(at)) for (const text of texts) if (stands(text, at)) reached.add(at + text.lines);
  const leads = new Set([lines.length]);
  for (let at = lines.length - 1; at >= 0; at--) if (texts.some((text) => leads.has(at + text.lines) && stands(text, at))) leads.add(at);
  return places.filter((at) => reached.has(at) && leads.has(at + sought.lines));
}
