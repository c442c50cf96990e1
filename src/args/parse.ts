/** Words of a command line → typed values, strictly: what is not declared is refused. */
import { nearest } from "./nearest.ts";
import { type Arg, type Args, flagName, type Spec } from "./spec.ts";

/** Thrown for words that do not fit the declaration. */
export class ParseError extends Error {}

type Parsed = { help: true } | { help: false; values: Record<string, unknown> };

interface Named {
  readonly key: string;
  readonly arg: Arg<unknown>;
}

/** All names of the flags of a spec, aliases included, without dashes. */
export function flagNames(flags: Args = {}): Map<string, Named> {
  const names = new Map<string, Named>();
  for (const [key, arg] of Object.entries(flags)) for (const name of [flagName(key), ...(arg.alias ?? [])]) names.set(name, { key, arg });
  return names;
}

function numeric(label: string, arg: Arg<unknown>, raw: string): number {
  const form = arg.kind === "integer" ? /^[+-]?\d+$/ : /^[+-]?(\d+\.?\d*|\.\d+)$/;
  const value = Number(raw);
  if (!form.test(raw) || !Number.isFinite(value) || (arg.kind === "integer" && !Number.isSafeInteger(value))) {
    throw new ParseError(`${label} takes ${arg.kind === "integer" ? "a whole number" : "a number"}, not ${JSON.stringify(raw)}`);
  }
  const min = arg.min ?? 0;
  if (value < min) throw new ParseError(`${label} must be at least ${min}, not ${raw}`);
  if (arg.max !== undefined && value > arg.max) throw new ParseError(`${label} must be at most ${arg.max}, not ${raw}`);
  return value;
}

function objectOf(label: string, raw: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(raw);
  } catch (error) {
    throw new ParseError(`${label} is not valid JSON: ${(error as Error).message}`);
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw new ParseError(`${label} must be a JSON object`);
  return value;
}

function convert(label: string, arg: Arg<unknown>, raw: string): unknown {
  switch (arg.kind) {
    case "integer":
    case "number":
      return numeric(label, arg, raw);
    case "choice":
      if (!arg.choices!.includes(raw)) {
        const guess = nearest(raw, arg.choices!);
        throw new ParseError(
          `${label} must be one of ${arg.choices!.join(", ")}, not ${JSON.stringify(raw)}${guess ? `. Did you mean ${guess}?` : ""}`,
        );
      }
      return raw;
    case "json":
      return objectOf(label, raw);
    default:
      if (arg.filled && raw.trim() === "") throw new ParseError(`${label} must not be empty`);
      return raw;
  }
}

/** A flag of kind rest takes every word after it: cut them off before the tokens are made. */
function cutRest(argv: readonly string[], names: Map<string, Named>): { words: string[]; key?: string; taken: string[] } {
  for (const [i, word] of argv.entries()) {
    if (word === "--") break;
    const named = word.startsWith("--") ? names.get(word.slice(2)) : undefined;
    if (named?.arg.kind === "rest") return { words: argv.slice(0, i), key: named.key, taken: argv.slice(i + 1) };
  }
  return { words: [...argv], taken: [] };
}

/**
 * Reads the words after the command's name.
 * @throws ParseError naming the word or flag that does not fit
 */
export function parse(spec: Spec, argv: readonly string[]): Parsed {
  const names = flagNames(spec.flags);
  const { words, key: restKey, taken } = cutRest(argv, names);
  const options: Record<string, { type: "string" | "boolean"; multiple: true; short?: string }> = {
    help: { type: "boolean", multiple: true, short: "h" },
  };
  for (const [name, { arg }] of names) options[name] = { type: arg.kind === "flag" ? "boolean" : "string", multiple: true };
  // Not imported above: help pages load this module too, and node:util costs them a millisecond.
  const { parseArgs } = require("node:util") as typeof import("node:util");
  const { tokens } = parseArgs({ args: words, options, strict: false, allowPositionals: true, tokens: true });

  const given = new Map<string, unknown[]>();
  const positional: string[] = [];
  const unknown: string[] = [];
  const limit = Object.values(spec.positionals ?? {}).some((p) => p.kind === "rest")
    ? Infinity
    : Object.keys(spec.positionals ?? {}).length;
  let surplus: string | undefined;
  const place = (word: string): void => {
    if (positional.length < limit) positional.push(word);
    else if (spec.passUnknown) unknown.push(word);
    else surplus ??= word;
  };
  for (const [i, token] of tokens.entries()) {
    if (token.kind === "option-terminator") {
      if (spec.passUnknown && positional.length >= limit) {
        unknown.push(...words.slice(token.index + 1));
        break;
      }
      continue;
    }
    if (token.kind === "positional") {
      place(token.value);
      continue;
    }
    const word = words[token.index]!;
    if (token.name === "help" && (word === "--help" || word === "-h")) return { help: true };
    const named = token.rawName.startsWith("--") ? names.get(token.name) : undefined;
    if (!named) {
      if (!spec.passUnknown) {
        // No flag holds white space: this is a text that begins with a dash, and one word although it may be several tokens.
        if (/\s/.test(word.split("=")[0]!)) {
          if (tokens[i - 1]?.index !== token.index) place(word);
          continue;
        }
        const guess = nearest(token.name, names.keys());
        throw new ParseError(`unknown flag ${word.split("=")[0]}${guess ? `. Did you mean --${guess}?` : ""}`);
      }
      if (tokens[i - 1]?.index === token.index) continue;
      unknown.push(word);
      // The word after an unknown flag is its value, unless it is the only one left that can be the required positional.
      const next = tokens[i + 1];
      const later = tokens.slice(i + 2).some((t) => t.kind === "positional");
      if (next?.kind === "positional" && positional.length < limit && later && !word.includes("=")) {
        unknown.push(next.value);
        tokens.splice(i + 1, 1);
      }
      continue;
    }
    const label = `--${token.name}`;
    const values = given.get(named.key) ?? given.set(named.key, []).get(named.key)!;
    if (named.arg.kind === "flag") {
      if (token.value !== undefined) throw new ParseError(`${label} is a switch and takes no value`);
      values.push(true);
      continue;
    }
    const lacks = token.value === undefined || (!token.inlineValue && token.value.startsWith("--") && !/\s/.test(token.value));
    if (lacks) {
      if (words.slice(token.index + 1).includes("--help")) return { help: true };
      throw new ParseError(
        `${label} needs a value${token.value === undefined ? "" : `; one that begins with -- is written ${label}=VALUE`}`,
      );
    }
    values.push(convert(label, named.arg, token.value!));
  }
  if (surplus !== undefined) throw new ParseError(`unexpected word ${JSON.stringify(surplus)}`);
  if (restKey !== undefined) given.set(restKey, [taken]);
  return { help: false, values: collect(spec, given, positional, unknown) };
}

function collect(spec: Spec, given: Map<string, unknown[]>, positional: string[], unknown: string[]): Record<string, unknown> {
  const values: Record<string, unknown> = { unknown };
  for (const { of, required } of spec.exclusive ?? []) {
    const present = of.filter((key) => given.has(key)).map((key) => `--${flagName(key)}`);
    if (present.length > 1) throw new ParseError(`${present.join(" and ")} exclude each other`);
    if (required && present.length === 0) throw new ParseError(`one of ${of.map((key) => `--${flagName(key)}`).join(", ")} is required`);
  }
  let at = 0;
  for (const [name, arg] of Object.entries(spec.positionals ?? {})) {
    if (arg.kind === "rest") {
      values[name] = positional.slice(at);
      at = positional.length;
      if (arg.required && (values[name] as string[]).length === 0) throw new ParseError(`${name} is missing`);
      continue;
    }
    const raw = positional[at++];
    if (raw === undefined && arg.required) throw new ParseError(`${name} is missing`);
    values[name] = raw === undefined ? arg.default : convert(name, arg, raw);
  }
  for (const [key, arg] of Object.entries(spec.flags ?? {})) {
    const all = given.get(key);
    if (arg.kind === "flag") values[key] = all !== undefined;
    else if (arg.repeat) values[key] = all ?? arg.default ?? [];
    else if (arg.kind === "rest") values[key] = all?.at(-1) ?? [];
    else if (all !== undefined) values[key] = all.at(-1);
    else if (arg.required) throw new ParseError(`--${flagName(key)} is required`);
    else values[key] = arg.default;
    if (arg.required && arg.repeat && !all) throw new ParseError(`--${flagName(key)} is required`);
    if (arg.kind === "rest" && arg.required && (values[key] as unknown[]).length === 0)
      throw new ParseError(`--${flagName(key)} is required`);
  }
  return values;
}
