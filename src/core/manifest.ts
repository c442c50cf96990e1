/** The manifest of an export: which files belong to it, and what each must be. */
import { compactJson } from "./json.ts";

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
