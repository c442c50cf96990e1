/** A JSON document written piece by piece, in the one form all JSON has here: sorted keys, two-space indent. */
import { prettyJson } from "../core/json.ts";

/** A list whose members are made while it is written. */
export class Stream {
  constructor(readonly members: () => Iterable<unknown>) {}
}

/** A value that is known only after what stands before it was written: a count, for instance. */
export class Late {
  constructor(readonly value: () => unknown) {}
}

const indented = (value: unknown, indent: string): string => {
  const text = prettyJson(value);
  return indent === "" ? text : text.replaceAll("\n", `\n${indent}`);
};

function* listParts(
  members: Iterable<unknown>,
  indent: string,
  each: (member: unknown, inner: string) => Iterable<string>,
): Generator<string> {
  const inner = `${indent}  `;
  let first = true;
  for (const member of members) {
    yield `${first ? "[" : ","}\n${inner}`;
    yield* each(member, inner);
    first = false;
  }
  yield first ? "[]" : `\n${indent}]`;
}

/** The document in pieces, without a final line break. Streams may stand anywhere in it; what they give holds no further ones. */
export function* jsonParts(value: unknown, indent = ""): Generator<string> {
  if (value instanceof Stream) return yield* listParts(value.members(), indent, (member, inner) => [indented(member, inner)]);
  if (value instanceof Late) return yield indented(value.value(), indent);
  if (Array.isArray(value)) return yield* listParts(value, indent, jsonParts);
  if (value === null || typeof value !== "object") return yield indented(value, indent);
  const inner = `${indent}  `;
  const source = value as Record<string, unknown>;
  let first = true;
  for (const key of Object.keys(source).sort()) {
    if (source[key] === undefined) continue;
    yield `${first ? "{" : ","}\n${inner}${JSON.stringify(key)}: `;
    yield* jsonParts(source[key], inner);
    first = false;
  }
  yield first ? "{}" : `\n${indent}}`;
}
