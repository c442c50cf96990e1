/** What an app-server asks and tells, as the port has it, and answers as the server takes them. */
import { describe, expect, test } from "bun:test";
import type { AskAnswer } from "../../../src/core/agent/protocol.ts";
import { answerTo, readAsk, readConversation, readNotice } from "../../../src/core/codex/served.ts";

const about = { threadId: "t", turnId: "u", itemId: "i", cwd: "/srv" };
const asked = (method: string, params: object = {}) => readAsk(7, method, { ...about, ...params });
const answers = (method: string, params: object, ...given: AskAnswer[]) => given.map((each) => answerTo(asked(method, params)!, each));
const [first, second] = [{ choice: 0 }, { choice: 1 }];

describe("what it asks", () => {
  test("a command, with all that it is about", () => {
    const method = "item/commandExecution/requestApproval";
    expect(asked(method, { command: "rm -r x", reason: "to tidy up" })).toMatchObject({
      requestId: "7",
      threadId: "t",
      turnId: "u",
      itemId: "i",
      kind: "command",
      command: "rm -r x",
      cwd: "/srv",
      reason: "to tidy up",
      takesText: false,
    });
    expect(asked(method)).toMatchObject({ command: null, question: expect.stringContaining("only its terminal shows") });
    expect(answers(method, {}, first, second)).toEqual([{ decision: "accept" }, { decision: "decline" }]);
  });

  test("a change of files, and a folder to write in", () => {
    const method = "item/fileChange/requestApproval";
    expect(asked(method)).toMatchObject({
      kind: "file",
      question: "may it change files? Which ones, only its terminal shows",
      command: null,
    });
    expect(asked(method, { grantRoot: "/srv/out" })!.question).toBe("may it write below /srv/out?");
    expect(answers(method, {}, first, second)).toEqual([{ decision: "accept" }, { decision: "decline" }]);
  });

  test("permissions: those that were asked for, for this turn, or none", () => {
    const permissions = { network: { enabled: true } };
    expect(asked("item/permissions/requestApproval", { permissions })!.question).toContain('{"network":{"enabled":true}}');
    expect(answers("item/permissions/requestApproval", { permissions }, first, second)).toEqual([
      { permissions, scope: "turn" },
      { permissions: {}, scope: "turn" },
    ]);
  });

  test("a question, by its choices or in words; several at once are for the terminal", () => {
    const method = "item/tool/requestUserInput";
    const question = { id: "q1", question: "Left or right?", options: [{ label: "Left", description: "go left" }, { label: "Right" }] };
    expect(asked(method, { questions: [question] })).toMatchObject({
      kind: "question",
      question: "Left or right?",
      choices: [
        { word: "Left", label: "go left" },
        { word: "Right", label: "Right" },
      ],
      takesText: false,
    });
    expect(asked(method, { questions: [{ ...question, isOther: true }] })!.takesText).toBe(true);
    expect(asked(method, { questions: [{ id: "q1", question: "Why?" }] })).toMatchObject({ choices: [], takesText: true });
    expect(answers(method, { questions: [question] }, second, { text: "neither" })).toEqual([
      { answers: { q1: { answers: ["Right"] } } },
      { answers: { q1: { answers: ["neither"] } } },
    ]);
    expect(asked(method, { questions: [question, question] })).toBeNull();
  });

  test("a form of a tool server can be declined, and nothing else", () => {
    const method = "mcpServer/elicitation/request";
    expect(asked(method, { message: "Your name?" })).toMatchObject({ kind: "form", question: "Your name?", choices: [{ word: "no" }] });
    expect(answers(method, {}, first)).toEqual([{ action: "decline", content: null, _meta: null }]);
  });

  test("what is not known is left to the terminal", () => {
    expect(asked("item/tool/call")).toBeNull();
    expect(readAsk(7, "item/commandExecution/requestApproval", {})).toBeNull();
  });
});

test("hidden threads and those of helpers are nobody's conversation", () => {
  const thread = { id: "01a22c67-65fe-7561-a41c-0912dbf407d0", path: "/p", status: { type: "active", activeFlags: ["waitingOnApproval"] } };
  expect(readConversation(thread)).toMatchObject({ id: thread.id, state: "active", waits: "approval", drawn: false });
  for (const more of [{ ephemeral: true }, { parentThreadId: "p" }, { source: { subAgent: "review" } }])
    expect(readConversation({ ...thread, ...more })).toBeNull();
});

test("what it tells that means something to us", () => {
  const turn = { id: "u", status: "interrupted" } as const;
  expect(readNotice("turn/completed", { threadId: "t", turn })).toEqual({ kind: "turn", threadId: "t", turn });
  expect(readNotice("serverRequest/resolved", { threadId: "t", requestId: 7 })).toEqual({
    kind: "answered",
    threadId: "t",
    requestId: "7",
  });
  expect(readNotice("item/completed", { threadId: "t", item: { type: "contextCompaction" } })).toEqual({
    kind: "compacted",
    threadId: "t",
  });
  expect(readNotice("thread/started", { thread: { id: "x", ephemeral: true } })).toBeNull();
  expect(readNotice("remoteControl/status/changed", {})).toBeNull();
});
