/** The steps of a turn that a page asks about, told from the stored records of a transcript (2.1.332): what waits, and how it ended. */
import type { OpenStep, StepEnd } from "../agent/agent.ts";
import type { AgentRecord } from "../agent/record.ts";
import { isObject, type Json, type JsonObject } from "../json.ts";

const resultsIn = ({ type, payload }: AgentRecord): JsonObject[] =>
  type === "response_item" && payload.type === "user/tool_result" && Array.isArray(payload.content)
    ? payload.content.filter(isObject).filter((block) => block.type === "tool_result")
    : [];

const words = (value: Json | undefined): string | null => (typeof value === "string" ? value : null);

/** What a call is about, as its page shows it: what would be run, or the file that would be written. */
function subjectOf(input: Json | undefined): string | null {
  if (!isObject(input)) return null;
  return words(input.command) ?? words(input.file_path) ?? null;
}

/** The calls whose end is not told yet, oldest first. @param newest the stored records, newest first; read back to the begin of the turn */
export function openSteps(newest: Iterable<AgentRecord>): OpenStep[] {
  const ended = new Set<string>();
  const open: OpenStep[] = [];
  for (const record of newest) {
    if (record.subtype === "task_started") break;
    for (const result of resultsIn(record)) ended.add(String(result.tool_use_id));
    const { content, type } = record.payload;
    if (record.type !== "response_item" || type !== "assistant/tool_use" || !isObject(content)) continue;
    const id = words(content.id);
    if (id !== null && !ended.has(id)) open.unshift({ id, subject: subjectOf(content.input) });
  }
  return open;
}

/** What this record says of the call with this id; null: nothing. */
export function stepEnd(record: AgentRecord, stepId: string): StepEnd | null {
  if (!resultsIn(record).some((result) => result.tool_use_id === stepId)) return null;
  const { denied, answers } = record.payload;
  if (isObject(answers)) return { kind: "answered", words: Object.values(answers).filter((word) => typeof word === "string") };
  return { kind: denied === undefined ? "done" : "declined" };
}
