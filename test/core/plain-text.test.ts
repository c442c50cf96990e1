/** Text that others wrote, on a terminal. */
import { expect, test } from "bun:test";
import { harmless, harmlessJson, oneLine } from "../../src/core/plain-text.ts";

test("what a terminal would obey is gone, what is to be read stays", () => {
  expect(harmless("a\u001b[31mb\u0007\u0000c\u009b1m\u007f\r\n\té → 漢字 🙂")).toBe("a[31mbc1m\n\té → 漢字 🙂");
  expect(harmless("safe\u202egnp.exe\u2066")).toBe("safegnp.exe");
});

test("JSON keeps what it says, escaped", () => {
  const said = { a: "\u001b[31m\u009b1m\u007f\u202e é 🙂" };
  const shown = harmlessJson(JSON.stringify(said));
  expect(shown).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  expect(shown).toContain("é 🙂");
  expect(JSON.parse(shown)).toEqual(said);
});

test("one line has neither breaks nor tabs", () => {
  expect(oneLine("a\r\nb\tc\u2028d\u001be")).toBe("a b c de");
});
