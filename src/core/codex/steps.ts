/**
 * The steps of a turn that are asked about, as a rollout tells (0.169.0, 0.171.0): what waits, by its call, and how it ended, by its item
 * or by what the call returned.
 */
import type { OpenStep, StepEnd } from "../agent/agent.ts";
import type { AgentRecord } from "../agent/record.ts";
import { isObject, type Json, type JsonObject } from "../json.ts";

/** What a command prints comes after these words, and passes for none of them. */
const RAN = /^Chunk ID: \w+\nWall time: /;
const DECLINED = /^(?:exec_command failed: CreateProcess \{ message: "Rejected\(\\"rejected by user\\"\)" \}|patch rejected by user)$/;
/** Of one that ran and of one that was only asked about alike. */
const CUT_OFF = /^Wall time: [\d.]+ seconds\naborted by user$/;

/** What this record says of the step with this id; null: nothing. */
export function stepEnd({ type, subtype, payload }: AgentRecord, stepId: string): StepEnd | null {
  if (subtype === "item_completed") return isObject(payload.item) && payload.item.id === stepId ? endOfItem(payload.item) : null;
  if (type !== "response_item" || payload.type !== "function_call_output" || payload.call_id !== stepId) return null;
  const { output } = payload;
  if (typeof output !== "string") return null;
  if (RAN.test(output)) return { kind: "done" };
  if (DECLINED.test(output)) return { kind: "declined" };
  if (CUT_OFF.test(output)) return { kind: "cut off" };
  const words = answersIn(output);
  return words === null ? null : { kind: "answered", words };
}

/** A command that was not allowed leaves no such item. */
function endOfItem({ type, status }: JsonObject): StepEnd | null {
  if (type !== "CommandExecution" && type !== "FileChange") return null;
  return { kind: status === "declined" ? "declined" : "done" };
}

/** What a question was answered, `{"answers":{"ID":{"answers":["…"]}}}`; null: this is no such answer. */
function answersIn(output: string): string[] | null {
  let value: unknown;
  try {
    value = JSON.parse(output);
  } catch {
    return null;
  }
  if (!isObject(value) || !isObject(value.answers)) return null;
  return Object.values(value.answers).flatMap((each: Json) =>
    isObject(each) && Array.isArray(each.answers) ? each.answers.filter((word) => typeof word === "string") : [],
  );
}

/** What would be run, of a call that runs something; it is written before anybody is asked. */
function commandIn({ type, arguments: given }: JsonObject): string | null {
  if (type !== "function_call" || typeof given !== "string") return null;
  try {
    const { cmd } = JSON.parse(given) as { cmd?: unknown };
    return typeof cmd === "string" ? cmd : null;
  } catch {
    return null;
  }
}

/** The calls whose end is not told yet, oldest first. @param newest stored records, newest first; read back to the begin of the turn */
export function openSteps(newest: Iterable<AgentRecord>): OpenStep[] {
  const ended = new Set<string>();
  const open: OpenStep[] = [];
  for (const { type, subtype, payload } of newest) {
    if (subtype === "task_started") break;
    if (type !== "response_item" || typeof payload.call_id !== "string") continue;
    if (payload.type === "function_call_output" || payload.type === "custom_tool_call_output") ended.add(payload.call_id);
    else if (!ended.has(payload.call_id)) open.unshift({ id: payload.call_id, subject: commandIn(payload) });
  }
  return open;
}
