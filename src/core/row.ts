/** A stored row as it is shown: JSON columns read and under their bare name, switches as true and false. */
import { parseStored } from "./json.ts";
import { sizeInstead } from "./text-size.ts";

export type Row = Readonly<Record<string, unknown>>;
export type Shown = Record<string, unknown>;

const SWITCHES: ReadonlySet<string> = new Set(["side_effect_started", "side_effect_completed", "redacted"]);
const SUFFIX = "_json";

/** `payload_json` becomes `payload`, `side_effect_started: 1` becomes true; null stays null. */
export function shown(row: Row): Shown {
  const result: Shown = {};
  for (const [key, value] of Object.entries(row)) {
    if (key.endsWith(SUFFIX)) result[key.slice(0, -SUFFIX.length)] = value === null ? null : parseStored(value as string, value);
    else result[key] = SWITCHES.has(key) ? value === 1 : value;
  }
  return result;
}

/** Without the text under `key`, its size in its place; a missing text leaves nothing behind. */
export function withoutText(row: Shown, key: string): Shown {
  const { [key]: text, ...rest } = row;
  return typeof text === "string" ? { ...rest, ...sizeInstead(key, text) } : rest;
}
