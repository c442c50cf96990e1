/** The lines of a Codex rollout. What they say is told by the records themselves, whose stored form is Codex's own. */
import type { AgentRecord } from "../agent/record.ts";
import { isObject } from "../json.ts";
import { knownEvents, knownItems, knownTypes } from "./kinds.ts";

/** Reads one line; null for anything that is no record: broken or blank text, no object, no type. */
export function parseRecord(line: string): AgentRecord | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (!isObject(value) || typeof value.type !== "string") return null;
  const payload = isObject(value.payload) ? value.payload : {};
  const subtype = value.type === "event_msg" && typeof payload.type === "string" ? payload.type : null;
  const timestamp = typeof value.timestamp === "string" && value.timestamp !== "" ? value.timestamp : null;
  return { type: value.type, subtype, payload, timestamp };
}

/** Whether some rule of this version has heard of records of this kind. A kind that none has is a sign that Codex has changed. */
export function isKnown(record: AgentRecord): boolean {
  const { type, subtype, payload } = record;
  if (type === "session_meta") return typeof payload.id === "string";
  if (type !== "event_msg") return knownTypes.has(type);
  if (subtype !== "item_completed") return subtype !== null && knownEvents.has(subtype);
  const kind = isObject(payload.item) ? payload.item.type : undefined;
  return typeof kind === "string" && knownItems.has(kind);
}

/** Name of a record for a report on records that no rule knows. */
export function recordName(record: AgentRecord): string {
  const item = record.subtype === "item_completed" && isObject(record.payload.item) ? record.payload.item.type : undefined;
  return [record.type, record.subtype, typeof item === "string" ? item : null].filter((part) => part !== null).join("/");
}
