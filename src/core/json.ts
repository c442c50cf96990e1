/** JSON as this tool writes it: keys sorted by code unit at every level. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** `JSON.stringify` alone cannot do it: objects give keys that look like whole numbers first, in numeric order. */
function write(value: unknown, step: string, indent: string): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  const inner = indent + step;
  const [open, close, parts] = Array.isArray(value)
    ? ["[", "]", value.map((member) => write(member, step, inner))]
    : ["{", "}", members(value as Record<string, unknown>, step, inner)];
  if (parts.length === 0) return open + close;
  return step === "" ? `${open}${parts.join(",")}${close}` : `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${indent}${close}`;
}

const members = (object: Record<string, unknown>, step: string, inner: string): string[] =>
  Object.keys(object)
    .filter((key) => object[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${step === "" ? "" : " "}${write(object[key], step, inner)}`);

/** One line, for `*_json` columns. Undefined members are left out. */
export const compactJson = (value: unknown): string => write(value, "", "");

/** Two-space indent without a final newline, for stdout and files people read. */
export const prettyJson = (value: unknown): string => write(value, "  ", "");

/** SQLite keeps JSON of at most 1000 levels; what is stored is wrapped in a few more. */
const MOST_LEVELS = 500;

/** Whether the value is nested more deeply than can be stored. */
export function isTooDeep(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MOST_LEVELS) return true;
    level = level.flatMap((each) => (each !== null && typeof each === "object" ? Object.values(each) : []));
  }
  return false;
}

export const isObject = (value: unknown): value is JsonObject => value !== null && typeof value === "object" && !Array.isArray(value);

/** Reads a stored `*_json` column; null and broken text (older writers) give the fallback. */
export function parseStored<T>(text: string | null | undefined, fallback: T): T {
  if (text === null || text === undefined || text === "") return fallback;
  try {
    return JSON.parse(text) as T;
  } catch {
    return fallback;
  }
}
