/** The manifest of an export: which files belong to it, and what each must be. */
import * as v from "valibot";
import { compactJson } from "../json.ts";
import { firstClash, isPlainFileName } from "./file-names.ts";

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

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));

const schema = v.pipe(
  v.object({
    bytes: v.record(v.string(), count),
    chain: v.object({ head: v.nullable(hash), links: count }),
    created_at: v.string(),
    digest: v.string(),
    files: v.array(v.pipe(v.string(), v.check(isPlainFileName))),
    masked_secrets: v.nullable(count),
    sha256: v.record(v.string(), hash),
    task: v.object({ id: v.string(), name: v.string() }),
    telemetry_events: v.object({ listed: count, total: count }),
  }),
  v.check(({ files, bytes, sha256 }) => {
    const listed = new Set(files);
    return [bytes, sha256].every((of) => Object.keys(of).length === listed.size && files.every((name) => Object.hasOwn(of, name)));
  }),
  v.check(({ files }) => firstClash([MANIFEST, ...files]) === null),
);

/** The text without what says nothing: the white space between its parts. */
const tight = (json: string): string => json.replace(/("(?:[^"\\]|\\.)*")|\s+/g, "$1");

/**
 * Reads a manifest; null for anything else, and for one of 0.1.0, which has no digests. `exact` when the text says this and nothing else,
 * no member more and none twice: then every reader reads the same, and the digest is about all that is there.
 */
export function parseManifest(bytes: Uint8Array): { manifest: Manifest; exact: boolean } | null {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const said: unknown = JSON.parse(text);
    const manifest = v.parse(schema, said);
    return { manifest, exact: tight(text) === JSON.stringify(said) && compactJson(said) === compactJson(manifest) };
  } catch {
    return null;
  }
}
