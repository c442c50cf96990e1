/** What is typed stays a text: nothing of it runs, opens a list, is folded or waits for a person. */
import { expect, test } from "bun:test";
import { claude } from "../../../src/core/claude/claude.ts";
import { standsInComposer } from "../../../src/core/delivery/delivery.ts";
import { sameText } from "../../../src/core/delivery/same-text.ts";

const { typeable, pastes, folds, clear } = claude.keys;

test("a first character that would run something stands behind a blank, and nothing else does", () => {
  expect(typeable("!ls")).toBe(" !ls");
  expect(typeable("\u200b!ls")).toBe(" !ls");
  // A plain blank is cut off before 2.1.332 looks for a command, so that it would run one all the same.
  for (const text of ["/clear now", " /clear now", "\n\t/clear now", "\u0007/clear now", "\u00a0/clear now"]) {
    expect(typeable(text)).toMatch(/^\u2800\s*\/clear now$/);
    expect(sameText(typeable(text), text)).toBe(true);
  }
  // Alone, such a word ends the program; with others it is one.
  for (const text of ["exit", " quit\n", ":q", ":q!", ":wq", ":wq! "]) {
    expect(typeable(text).trim()).toBe(`\u2800${text}`.trim());
    expect(sameText(typeable(text), text)).toBe(true);
  }
  for (const text of ["exit now", "Exit", "quit.", ":x", ":w"]) expect(typeable(text)).toBe(text);
  for (const text of ["#x y", "-x y", "&x y", " !ls", "plain", "?", "a\n/b c"]) expect(typeable(text)).toBe(text);
});

test("an end that would take the Enter has a blank behind it", () => {
  expect(typeable("ends in \\")).toBe("ends in \\ ");
  expect(typeable("look at @src")).toBe("look at \u2800@src ");
  expect(typeable("then /comp")).toBe("then /comp ");
  expect(typeable("mail a@b.c")).toBe("mail a@b.c");
  expect(typeable("a \\ b")).toBe("a \\ b");
});

test("what a terminal obeys or nobody sees is left out, and the words are the same ones", () => {
  const dirty = "one\u001b[31m\u202e two\u200d\u0000\tthree\r\nfour\ufeff";
  expect(typeable(dirty)).toBe("one[31m two    three\nfour");
  expect(sameText(typeable(dirty), dirty)).toBe(true);
  // The form of a picture is no character of its own.
  expect(typeable("❤️ 👍🏽 é")).toBe("❤️ 👍🏽 é");
});

test("pieces are small enough not to be folded, whole, and never half a character", () => {
  const texts = [
    "",
    "short",
    "a\nb\nc",
    "a\nb\nc\nd\ne\nf\n\n\n\ng",
    "x".repeat(15_000),
    "👍".repeat(900),
    `${"y".repeat(699)}👍${"z".repeat(700)}`,
    Array.from({ length: 500 }, (_, index) => `line ${index} ${"w".repeat(index % 90)}`).join("\n"),
    "/tmp/shot.png and /tmp/b.JPEG",
  ];
  for (const text of texts) {
    const pieces = pastes(text);
    expect(pieces.join("")).toBe(text);
    for (const piece of pieces) {
      expect(piece.length).toBeGreaterThan(0);
      expect(piece.length).toBeLessThanOrEqual(700);
      expect(piece.split("\n").length).toBeLessThanOrEqual(3);
      expect(piece.isWellFormed()).toBe(true);
      expect(piece).not.toMatch(/\.(png|jpe?g)/i);
    }
  }
  expect(pastes("a\nb\nc")).toEqual(["a\nb\nc"]);
  expect(pastes("/tmp/shot.png")).toEqual(["/tmp/shot.", "png"]);
  expect(pastes("")).toEqual([]);
});

test("a folded paste stands for a text with as many line breaks", () => {
  const fifty = Array.from({ length: 50 }, (_, index) => `line ${index}`).join("\n");
  expect(folds("[Pasted text #1 +49 lines]", fifty)).toBe(true);
  expect(folds("[Pasted text #12 +48 lines]", fifty)).toBe(false);
  expect(folds("[Pasted text #1]", "x".repeat(900))).toBe(true);
  expect(folds("[Pasted text #1 +3 lines] and more", fifty)).toBeNull();
  expect(folds("something else", fifty)).toBeNull();
  const composer = (text: string) => ({ empty: false, text, shell: false });
  expect(standsInComposer(claude, composer("[Pasted text #1 +49 lines]"), fifty)).toBe(true);
  expect(standsInComposer(claude, composer("line 0\nline 1"), "line 0\nline\u200b 1")).toBe(true);
  expect(standsInComposer(claude, composer("another"), fifty)).toBe(false);
});

test("as many keys clear a draft as it can have rows", () => {
  expect(clear("one")).toEqual(["C-u", "C-u", "C-u", "BSpace"]);
  const count = (text: string) => clear(text).filter((key) => key === "C-u").length;
  expect(count("a\nb\nc")).toBe(7);
  expect(count("x".repeat(400))).toBeGreaterThanOrEqual(21);
});
