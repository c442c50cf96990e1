/** JSON that agents hand in: read strictly, with errors that name the field, what was expected and what came. */
import * as v from "valibot";
import { Failure } from "../failure.ts";
import { isObject, isTooDeep, type JsonObject } from "../json.ts";
import type { Role } from "../sessions/session.ts";
import { quoteWord } from "../shell.ts";

/** A value as it is shown in an error: short, and never a whole document. */
function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`;
  if (isObject(value)) return "an object";
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/**
 * Reads one JSON object.
 * @param what the document, for the error: `the acknowledgement`
 * @throws Failure for empty, malformed, bottomless and other than object text
 */
export function readObject(text: string, what: string): JsonObject {
  const hint = `hand it in on standard input, for instance: … --from-stdin <<'EOF', then lines of JSON, then EOF`;
  if (text.trim() === "") throw new Failure(`${what} is empty; one JSON object is expected`, { hint });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Failure(`${what} is not valid JSON: ${(error as Error).message}`, { hint });
  }
  if (!isObject(value)) throw new Failure(`${what} must be one JSON object, but it is ${shown(value)}`, { hint });
  if (isTooDeep(value))
    throw new Failure(`${what} is nested too deeply to be stored`, { hint: "give it fewer levels, or keep it in a file and name that" });
  return value;
}

/** What the schema of the field at this path says it wants: schemas here carry that as their message. */
function wanted(schema: v.GenericSchema, path: string): unknown {
  let at: unknown = schema;
  for (const key of path.split(".")) at = (at as { entries?: Record<string, unknown> } | undefined)?.entries?.[key];
  return (at as { message?: unknown } | undefined)?.message;
}

interface Misfit {
  readonly path: string;
  /** `path: expected …, got …` */
  readonly text: string;
}

/** Every way in which `value` does not fit; empty when it fits. */
export function misfits(schema: v.GenericSchema, value: unknown): Misfit[] {
  const { issues = [] } = v.safeParse(schema, value);
  return issues.map((issue) => {
    const at = v.getDotPath(issue);
    const expected = at !== null && issue.input === undefined ? (wanted(schema, at) ?? issue.message) : issue.message;
    const path = at ?? "the document";
    return { path, text: `${path}: expected ${expected}, got ${shown(issue.input)}` };
  });
}

/**
 * The value in the type of its schema.
 * @throws Failure that names all fields which do not fit
 */
export function checked<S extends v.GenericSchema>(schema: S, value: unknown, what: string, hint?: string): v.InferOutput<S> {
  const found = misfits(schema, value);
  if (found.length > 0)
    throw new Failure(`${what} does not fit: ${found.map(({ text }) => text).join("; ")}`, hint === undefined ? {} : { hint });
  return value as v.InferOutput<S>;
}

export const filledText = (what = "a non-empty text") =>
  v.pipe(
    v.string(what),
    v.check((text) => text.trim() !== "", what),
  );
export const oneOf = <const T extends readonly string[]>(words: T) => v.picklist(words, `one of ${words.join(", ")}`);

/** What prompts ask an acknowledgement to say. Any object is taken; what this finds is only a warning. */
export const ackAdvice = v.looseObject({
  goal_restatement: filledText("the goal in the agent's own words"),
  proposed_criteria: v.array(v.unknown(), "a list of criteria"),
  expected_tools: v.array(v.unknown(), "a list of tools"),
  open_questions: v.array(v.unknown(), "a list of questions"),
  ready_to_start: v.literal(true, "true"),
});

/** The shell command that acknowledges a task in this role, to be filled in: what it pipes in is what {@link ackAdvice} asks for. */
export const ackCommand = (program: string, role: Role, task: string): string =>
  `echo '{"goal_restatement":"…","proposed_criteria":[],"expected_tools":[],"open_questions":[],"ready_to_start":true}' | ${program} ` +
  `${role}-ack ${quoteWord(task)} --from-stdin`;
