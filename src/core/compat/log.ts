/** `events.jsonl` of a worker or session: one JSON object a line; what is none is counted. */
import { isObject, type JsonObject } from "../json.ts";

export function parseEvents(log: string): { events: JsonObject[]; broken: number } {
  const lines = log.split("\n").filter((line) => line.trim() !== "");
  const events = lines.flatMap((line) => {
    try {
      const value: unknown = JSON.parse(line);
      return isObject(value) ? [value] : [];
    } catch {
      return [];
    }
  });
  return { events, broken: lines.length - events.length };
}
