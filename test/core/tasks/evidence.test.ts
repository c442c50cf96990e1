import { expect, test } from "bun:test";
import { evidenceProblems, isAdversarialProof } from "../../../src/core/tasks/evidence.ts";

const PROOF = { evidence_type: "adversarial_check", failure_mode: "f", check: "c", result: "r" };

test("a status that is missing, null or says that the work held is proof; a failed one, or no text, is not", () => {
  for (const status of [undefined, null, "passed", "", "not failed"]) expect(isAdversarialProof({ ...PROOF, status })).toBe(true);
  for (const status of ["failed", " FAIL ", "Error", "errored", "failure", "rejected", 1, false, {}])
    expect(isAdversarialProof({ ...PROOF, status })).toBe(false);
});

test("every field must say something", () => {
  for (const field of ["failure_mode", "check", "result"])
    for (const value of [undefined, null, "", " ", "…", "...", "-", 7])
      expect(isAdversarialProof({ ...PROOF, [field]: value })).toBe(false);
  for (const other of [null, [], "x", { ...PROOF, evidence_type: "test_run" }]) expect(isAdversarialProof(other)).toBe(false);
});

test("problems are told by field, and only of what calls itself such a check", () => {
  expect(evidenceProblems({ ...PROOF, check: 7, result: undefined, status: "failed" })).toEqual([
    "check: expected a non-empty text, got 7",
    "result: expected a non-empty text, got nothing",
    expect.stringContaining('got "failed"'),
  ]);
  expect(evidenceProblems({ evidence_type: "test_run" })).toEqual([]);
});
