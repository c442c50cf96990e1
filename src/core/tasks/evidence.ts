/** Evidence of an attempt to disprove a piece of work: what it must tell to count as proof. */
import * as v from "valibot";
import { filledText, misfits } from "./agent-input.ts";
import { saysSomething } from "../plain-text.ts";
import { isObject, type JsonObject } from "../json.ts";

const FAILED = ["error", "errored", "fail", "failed", "failure", "rejected"];
const HELD = `nothing, or a word that says that the work held (not ${FAILED.join(", ")})`;

const WORDS = "words: what the example leaves open is none";
/** What says something: the dots of an example do not. */
const telling = () =>
  v.pipe(
    filledText(),
    v.check((text) => saysSomething(text), WORDS),
  );

const adversarialCheck = v.looseObject({
  evidence_type: v.literal("adversarial_check", "adversarial_check"),
  failure_mode: telling(),
  check: telling(),
  result: telling(),
  status: v.optional(
    v.nullable(
      v.pipe(
        v.string(HELD),
        v.check((status) => !FAILED.includes(status.trim().toLowerCase()), HELD),
      ),
    ),
  ),
});

/** Whether evidence tells of an attempt to disprove the work which it survived. */
export const isAdversarialProof = (evidence: unknown): boolean => v.is(adversarialCheck, evidence);

/** A machine's proof with what a person showed beside it: gates and freshness go on reading the proof. */
export const besideProof = (proof: JsonObject, shown: JsonObject): JsonObject => ({ ...proof, person_evidence: shown });

/** What a person showed, be it alone or beside a machine's proof. */
export const shownByPerson = (evidence: JsonObject): unknown => evidence.person_evidence ?? evidence;

/** What keeps evidence that calls itself an adversarial check from being one; empty for all other evidence. */
export const evidenceProblems = (evidence: unknown): string[] =>
  isObject(evidence) && evidence.evidence_type === "adversarial_check" ? misfits(adversarialCheck, evidence).map(({ text }) => text) : [];
