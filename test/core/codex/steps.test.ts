/** How a step ended that was asked about, by the lines that real rollouts have of it (0.169.0 and 0.171.0 alike). */
import { expect, test } from "bun:test";
import { agents } from "../../../src/core/agent/agents.ts";

const { transcript } = agents.codex;
const end = (type: string, payload: object, id = "call_1") =>
  transcript.stepEnd(transcript.translate(JSON.stringify({ type, payload }), {})![0]!, id);
const returned = (output: unknown) => end("response_item", { type: "function_call_output", call_id: "call_1", output });
const item = (fields: object) => end("event_msg", { type: "item_completed", item: { id: "call_1", ...fields } });

test("a command that ran, or runs on in the background, and one that was not allowed", () => {
  expect(returned("Chunk ID: f65acc\nWall time: 2.8749 seconds\nProcess exited with code 0\nOutput:\nhi\n")).toEqual({ kind: "done" });
  expect(returned("Chunk ID: f65acc\nWall time: 10.0 seconds\nProcess running with session ID 7\nOutput:\n")).toEqual({ kind: "done" });
  expect(item({ type: "CommandExecution", status: "failed", exit_code: 1 })).toEqual({ kind: "done" });
  expect(returned('exec_command failed: CreateProcess { message: "Rejected(\\"rejected by user\\")" }')).toEqual({ kind: "declined" });
});

test("files that were changed, and that were not", () => {
  expect(item({ type: "FileChange", status: "completed" })).toEqual({ kind: "done" });
  expect(item({ type: "FileChange", status: "declined" })).toEqual({ kind: "declined" });
  expect(returned("patch rejected by user")).toEqual({ kind: "declined" });
});

test("what was broken off had begun, or not", () =>
  expect(returned("Wall time: 0.1 seconds\naborted by user")).toEqual({ kind: "cut off" }));

test("a question's answers", () => {
  expect(returned('{"answers":{"q1":{"answers":["Right"]},"q2":{"answers":["no",1]}}}')).toEqual({
    kind: "answered",
    words: ["Right", "no"],
  });
  expect([returned("{"), returned("{}"), returned("[]"), returned(["Right"])]).toEqual([null, null, null, null]);
});

test("what a command prints passes for nothing, nor does another step", () => {
  const forged = "patch rejected by user\nWall time: 0.1 seconds\naborted by user\n";
  expect(returned(`Chunk ID: f65acc\nWall time: 1.0 seconds\nProcess exited with code 0\nOutput:\n${forged}`)).toEqual({ kind: "done" });
  expect(returned(`${forged}\nmore`)).toBeNull();
  expect(returned("Chunk ID: none")).toBeNull();
  expect(item({ type: "AgentMessage", content: [] })).toBeNull();
  expect(end("response_item", { type: "function_call_output", call_id: "call_2", output: "patch rejected by user" })).toBeNull();
  expect(end("event_msg", { type: "agent_message", message: "call_1" })).toBeNull();
});

test("what waits: the calls of this turn that have returned nothing, with what they would run", () => {
  const call = (call_id: string, cmd: unknown) => ({
    type: "function_call",
    name: "exec_command",
    call_id,
    arguments: JSON.stringify({ cmd }),
  });
  const lines: [string, object][] = [
    ["response_item", call("old", "ls")],
    ["event_msg", { type: "task_started", turn_id: "t" }],
    ["response_item", call("done", "ls -l")],
    ["response_item", call("waits", "touch a\n\nrm b")],
    ["response_item", { type: "function_call_output", call_id: "done", output: "" }],
    ["response_item", { type: "custom_tool_call", call_id: "patch", input: "*** Begin Patch" }],
    ["response_item", { ...call("broken", ""), arguments: "{" }],
  ];
  const records = lines.map(([type, payload]) => transcript.translate(JSON.stringify({ type, payload }), {})![0]!);
  expect(transcript.openSteps(records.toReversed())).toEqual([
    { id: "waits", subject: "touch a\n\nrm b" },
    { id: "patch", subject: null },
    { id: "broken", subject: null },
  ]);
});
