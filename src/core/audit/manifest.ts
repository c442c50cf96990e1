/** The manifest of an export: which files belong to it, and what each must be. */
import * as v from "valibot";
import { compactJson } from "../json.ts";

export const MANIFEST = "manifest.json";

export interface Manifest {
  /** Size of each file. */
  readonly bytes: Readonly<Record<string, number>>;
  /** The end of the task's audit chain at that moment. */
  readonly chain: { readonly head: string | null; readonly links: number };
  /** The time of the state: that of its newest record, so that the same state gives the same bytes. */
  readonly created_at: string;
  /** SHA-256 of the manifest itself without this member. */
  readonly digest: string;
  /** All but the manifest. */
  readonly files: readonly string[];
  /** How many texts had secrets masked; null when secrets were asked for. */
  readonly masked_secrets: number | null;
  /** SHA-256 of each file. */
  readonly sha256: Readonly<Record<string, string>>;
  readonly task: { readonly id: string; readonly name: string };
  /** How many events `telemetry-events.json` holds, of how many. */
  readonly telemetry_events: { readonly listed: number; readonly total: number };
}

/** The text whose hash is the manifest's digest. */
export const digestText = ({ digest: _, ...rest }: Manifest): string => compactJson(rest);

/** A name that stays inside the export. */
const inside = (name: string): boolean =>
  name !== "" &&
  !name.startsWith("/") &&
  !name.includes("\\") &&
  !name.includes("\0") &&
  name.split("/").every((part) => part !== "" && part !== "." && part !== "..");

const schema = v.pipe(
  v.looseObject({
    bytes: v.record(v.string(), v.number()),
    chain: v.object({ head: v.nullable(v.string()), links: v.number() }),
    created_at: v.string(),
    digest: v.string(),
    files: v.array(v.pipe(v.string(), v.check(inside))),
    masked_secrets: v.nullable(v.number()),
    sha256: v.record(v.string(), v.string()),
    task: v.object({ id: v.string(), name: v.string() }),
    telemetry_events: v.object({ listed: v.number(), total: v.number() }),
  }),
  v.check(({ files, bytes, sha256 }) => files.every((name) => Object.hasOwn(bytes, name) && Object.hasOwn(sha256, name))),
);

/** Reads a manifest; null for anything else, and for one of 0.1.0, which has no digests. */
export function parseManifest(text: string): Manifest | null {
  try {
    return v.parse(schema, JSON.parse(text));
  } catch {
    return null;
  }
}
