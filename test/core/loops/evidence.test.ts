/** Receipts of loop evidence. */
import { expect, test } from "bun:test";
import { adversarialMetadata, evidenceText, needIteration, needType, parseMetadata, receiptOf } from "../../../src/core/loops/evidence.ts";

test("the receipt's own facts beat the metadata, whose others survive", () => {
  const metadata = {
    job: 7,
    status: "mine",
    iteration: 99,
    evidence_type: "other",
    ralph_loop_run_id: "zzz",
    artifact_path: "meta.json",
    correlation_id: "meta",
  };
  expect(receiptOf("run-1", { type: "ci_green", iteration: 2, status: "green", artifactPath: "a.json", metadata })).toEqual({
    job: 7,
    status: "green",
    iteration: 2,
    evidence_type: "ci_green",
    ralph_loop_run_id: "run-1",
    artifact_path: "a.json",
    correlation_id: "meta",
  });
});

test("the identity is the text that other tools read", () => {
  expect(evidenceText("run-1", 2, "ci_green")).toBe("Ralph loop run-1 iteration 2 ci_green evidence");
});

test("an attempt to disprove needs three texts", () => {
  const label = (field: string) => `<${field}>`;
  expect(adversarialMetadata({ failure_mode: " f ", check: "c", result: "r", extra: 1 }, label)).toEqual({
    failure_mode: "f",
    check: "c",
    result: "r",
    extra: 1,
  });
  expect(() => adversarialMetadata({ failure_mode: "f", check: 3, result: "r" }, label)).toThrow("<check>");
  expect(() => adversarialMetadata({ failure_mode: "f", check: "c", result: " " }, label)).toThrow("<result>");
});

test("what is refused is named", () => {
  expect(() => needIteration(0)).toThrow("--iteration");
  expect(() => needType("  ")).toThrow("--evidence-type");
  expect(() => parseMetadata("[1]")).toThrow("--metadata-json");
  expect(() => parseMetadata("{bad")).toThrow("--metadata-json");
  expect(parseMetadata(undefined)).toEqual({});
});
