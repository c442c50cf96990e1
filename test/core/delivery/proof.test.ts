/** What proves that a text arrived, and what only looks like it. */
import { expect, test } from "bun:test";
import { fingerprint } from "../../../src/core/delivery/delivery.ts";
import { proofLines } from "../../../src/core/delivery/proof.ts";

const hash = (text: string): string => `#${text}`;
const of = (text: string) => fingerprint(text, hash);
const OURS = "fix the parser\nthen run the tests";
const places = (
  text: string,
  more: { clientId?: string | null; carriesId?: boolean; foreign?: string[]; others?: string[]; ours?: string } = {},
) =>
  proofLines(
    { text, clientId: more.clientId ?? null },
    { ...of(more.ours ?? OURS), clientId: "ours", carriesId: more.carriesId ?? false },
    { foreign: (id) => more.foreign?.includes(id) ?? false, others: () => (more.others ?? []).map(of) },
    hash,
  );

test("our text whole, whatever the blanks between its words", () => {
  expect(places(OURS)).toEqual([0]);
  expect(places("  fix the  parser\n\nthen run the tests \n")).toEqual([0]);
  expect(places(OURS, { clientId: "made up by the composer" })).toEqual([0]);
});

test("lines of ours in what somebody else says prove nothing", () => {
  expect(places(`please do this:\n${OURS}\nbut not before noon`)).toEqual([]);
  expect(places(`${OURS}\nand more`)).toEqual([]);
  expect(places(`first\n${OURS}`)).toEqual([]);
  expect(places("fix the parser")).toEqual([]);
  expect(places("fix the parser then run the tests")).toEqual([]);
});

test("what an interrupt merged counts when all of it is ours", () => {
  expect(places(`one more\n${OURS}`, { others: ["one more"] })).toEqual([1]);
  expect(places("go\ngo\ngo", { ours: "go", others: ["go"] })).toEqual([0, 1, 2]);
  expect(places(`one more\n${OURS}\nby a person`, { others: ["one more"] })).toEqual([]);
  expect(places(`a\nb\n${OURS}`, { others: ["a\nb\nc", "a"] })).toEqual([]);
  expect(places(`a\nb\n${OURS}\nb`, { others: ["a\nb", "a", "b"] })).toEqual([2]);
});

test("an id of ours proves it whatever was made of the text; another sender's id proves nothing", () => {
  expect(places("reworded", { clientId: "ours" })).toEqual([0]);
  expect(places(OURS, { clientId: "theirs", foreign: ["theirs"] })).toEqual([]);
  expect(places(OURS, { clientId: "theirs", carriesId: true })).toEqual([]);
  expect(places(OURS, { carriesId: true })).toEqual([]);
});
