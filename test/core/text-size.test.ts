/** Texts taken out of records, with their sizes in their place. */
import { expect, test } from "bun:test";
import { lineCount, withoutContent } from "../../src/core/text-size.ts";

test.each([
  ["", 0],
  ["a", 1],
  ["a\n", 1],
  ["a\nb", 2],
  ["a\r\nb\rc\n", 3],
  ["\n\n", 2],
] as const)("%j has %d lines", (text, lines) => expect(lineCount(text)).toBe(lines));

test("texts under such keys go at any depth; anything else under them is walked", () => {
  expect(
    withoutContent({
      type: "x",
      message: "é\n",
      content: [{ text: "a", kind: "b" }],
      output: { stdout: "s", code: 0 },
      text: 7,
      last_agent_message: "done",
    }),
  ).toEqual({
    type: "x",
    message_redacted: true,
    message_byte_count: 3,
    message_line_count: 1,
    content: [{ text_redacted: true, text_byte_count: 1, text_line_count: 1, kind: "b" }],
    output: { stdout_redacted: true, stdout_byte_count: 1, stdout_line_count: 1, code: 0 },
    text: 7,
    last_agent_message_redacted: true,
    last_agent_message_byte_count: 4,
    last_agent_message_line_count: 1,
  });
});
