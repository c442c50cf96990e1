/** Quoted words are read back by real shells as what they were. */
import { expect, test } from "bun:test";
import { quoteCommand, quoteWord } from "../../src/core/shell.ts";

const odd = [
  "",
  "plain-1",
  "=sh",
  "a=b",
  "two words",
  "it's",
  "'",
  "\\",
  "\\'",
  "a\\'b'$(id)",
  "$HOME",
  "`id`",
  "*",
  "~",
  "!!",
  "a;b",
  "#x",
  "line\nline",
  "{a,b}",
  "é",
  "-n",
  "&&",
];

for (const shell of ["sh", "bash", "dash", "zsh", "fish"]) {
  const program = Bun.which(shell);
  if (program === null) continue;
  test(`${shell} reads every word as it was`, () => {
    for (const word of odd) {
      const done = Bun.spawnSync([program, "-c", quoteCommand(["printf", "%s", word])]);
      expect([word, done.stdout.toString()]).toEqual([word, word]);
    }
  });
}

test("words that need no quotes have none", () => {
  expect(quoteCommand(["tmux", "attach", "-t", "codex-w1", "--path=/a/b.db"])).toBe("tmux attach -t codex-w1 --path=/a/b.db");
  expect(quoteWord("=codex")).toBe("'=codex'");
});
