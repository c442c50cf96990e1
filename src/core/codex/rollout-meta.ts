/** The first record of a rollout, `session_meta`: which thread it is, where, since when. */
import type { TranscriptHead } from "../agent/agent.ts";
import { isObject } from "../json.ts";

const textOf = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

/** Reads the first line of a rollout; a text instead of a record says what is wrong with it. */
export function parseRolloutMeta(line: string): TranscriptHead | string {
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch {
    return line.trim() === "" ? "it is empty" : "its first line is not JSON";
  }
  if (!isObject(record)) return "its first line is not a JSON object";
  if (record.type !== "session_meta") return `its first record is ${JSON.stringify(record.type ?? null)}, not "session_meta"`;
  const { payload } = record;
  if (!isObject(payload)) return "its session_meta record has no payload";
  if (typeof payload.id !== "string" || payload.id === "") return "its session_meta record has no id";
  return {
    id: payload.id,
    cwd: textOf(payload.cwd),
    timestamp: textOf(payload.timestamp) ?? textOf(record.timestamp),
    originator: textOf(payload.originator),
    cliVersion: textOf(payload.cli_version),
    conversation: (payload.thread_source === undefined || payload.thread_source === "user") && !isObject(payload.source),
  };
}
