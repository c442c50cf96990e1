import { expect, test } from "bun:test";
import { askText } from "../../src/view/asks.ts";

const told = {
  id: "ask-1",
  session: "w1",
  question: "Which?",
  command: null,
  cwd: null,
  asked_reason: null,
  takes_text: false,
  choice: null,
  answered_by: null,
  proof: "pending",
  sent: false,
} as const;

const howTo = (...words: string[]): string | undefined =>
  askText("conveyor", { ...told, choices: words.map((word) => ({ word, label: word })) })
    .split("\n")
    .at(-1);

test("how to answer names what the question takes, and nothing else", () => {
  expect(howTo("yes", "no")).toBe("answer it with conveyor answer ask-1 yes|no");
  expect(howTo("yes", "always", "no")).toBe("answer it with conveyor answer ask-1 yes|no|NUMBER");
  expect(howTo("Red", "Blue")).toBe("answer it with conveyor answer ask-1 NUMBER");
  // Words of an agent are no words of a command.
  expect(howTo("go on; rm -r x")).toBe("answer it with conveyor answer ask-1 1");
  expect(howTo("no")).toBe("answer it with conveyor answer ask-1 no");
});
