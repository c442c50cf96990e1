/** JSON as this tool writes it: keys sorted by code unit at every level. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  const source = value as Record<string, unknown>;
  const result: [string, unknown][] = [];
  for (const key of Object.keys(source).sort()) if (source[key] !== undefined) result.push([key, sorted(source[key])]);
  return Object.fromEntries(result);
};

/** One line, for `*_json` columns. Undefined members are left out. */
export const compactJson = (value: unknown): string => JSON.stringify(sorted(value));

/** Two-space indent without a final newline, for stdout and files people read. */
export const prettyJson = (value: unknown): string => JSON.stringify(sorted(value), null, 2);

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
