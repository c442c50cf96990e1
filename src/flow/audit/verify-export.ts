/** Looking whether an export is what was exported: the manifest, each file, and each row of the audit against its seal. */
import { PROBLEMS_SHOWN } from "../../core/chain.ts";
import { Failure } from "../../core/failure.ts";
import { parseManifest, digestText, MANIFEST, type Manifest } from "../../core/audit/manifest.ts";
import { type Bundle, openBundle } from "../../system/files/bundle.ts";
import { Digest, sha256 } from "../../system/files/digest.ts";
import { type Finding, type RowCounts, verifyRows } from "./verify-rows.ts";

export interface ExportProblem extends Omit<Finding, "kind"> {
  /**
   * manifest: it is not what was written; missing, changed: a file or a row; unlisted: in an archive, but not in its manifest; chain: a
   * link does not fit.
   */
  readonly kind: Finding["kind"] | "manifest" | "unlisted";
}

export interface ExportReport {
  readonly ok: boolean;
  readonly export: string;
  readonly kind: Bundle["kind"];
  readonly task: Manifest["task"];
  readonly created_at: string;
  readonly files: number;
  readonly chain: Manifest["chain"];
  readonly rows_checked: number;
  /** Rows with masked secrets: of these only the hash is there. */
  readonly rows_masked: number;
  /** Rows that no seal is about: older than the chain, or written by another program. */
  readonly rows_unsealed: number;
  /** Files in the directory that do not belong to the export. */
  readonly unlisted: readonly string[];
  readonly problem_count: number;
  /** The first of them. */
  readonly problems: readonly ExportProblem[];
}

const MANIFEST_MAX = 1 << 20;

function readManifest(bundle: Bundle, path: string): NonNullable<ReturnType<typeof parseManifest>> {
  if (!bundle.names.includes(MANIFEST))
    throw new Failure(`${path} is no export: it has no ${MANIFEST}`, { hint: "conveyor export-task TASK" });
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (const piece of bundle.read(MANIFEST)) {
    size += piece.length;
    if (size > MANIFEST_MAX) throw new Failure(`${path} is no export: its ${MANIFEST} is too large`);
    pieces.push(piece.slice());
  }
  const read = parseManifest(Buffer.concat(pieces));
  if (read === null)
    throw new Failure(`${path} is no export that can be verified: its ${MANIFEST} lacks the digests, or cannot be read`, {
      hint: "export again: conveyor export-task TASK",
    });
  return read;
}

/** What is wrong with a file, or null. No more is read of it than the manifest says it has. */
function fileProblem(bundle: Bundle, manifest: Manifest, name: string): ExportProblem | null {
  const problem = (kind: "missing" | "changed", message: string): ExportProblem => ({ kind, file: name, id: null, message });
  if (!bundle.names.includes(name)) return problem("missing", `${name} is missing`);
  const digest = new Digest();
  try {
    for (const piece of bundle.read(name)) {
      digest.add(piece);
      if (digest.bytes > manifest.bytes[name]!) break;
    }
  } catch (error) {
    if (error instanceof Failure) return problem("changed", error.message);
    throw error;
  }
  if (digest.bytes !== manifest.bytes[name]) return problem("changed", `${name} has not the size it had`);
  return digest.end() === manifest.sha256[name] ? null : problem("changed", `${name} is not what was exported`);
}

/**
 * Verifies the export at `path`, a directory or an archive.
 * @param known an end of the audit chain that was noted elsewhere; it must be part of the export's chain
 * @throws Failure when there is no export at all
 */
export function verifyExport(path: string, known?: string): ExportReport {
  const bundle = openBundle(path);
  try {
    const { manifest, exact } = readManifest(bundle, path);
    const problems: ExportProblem[] = [];
    let count = 0;
    const found = (problem: ExportProblem) => {
      if (++count <= PROBLEMS_SHOWN) problems.push(problem);
    };
    if (!exact || sha256(digestText(manifest)) !== manifest.digest)
      found({ kind: "manifest", file: MANIFEST, id: null, message: `${MANIFEST} is not what was written` });
    const sound = new Set<string>();
    for (const name of manifest.files) {
      const problem = fileProblem(bundle, manifest, name);
      if (problem) found(problem);
      else sound.add(name);
    }
    const unlisted = bundle.names.filter((name) => name !== MANIFEST && !manifest.files.includes(name));
    if (bundle.kind === "archive")
      for (const name of unlisted)
        found({ kind: "unlisted", file: name, id: null, message: `${JSON.stringify(name)} does not belong to the export` });
    const counts: RowCounts = { checked: 0, masked: 0, unsealed: 0 };
    const { listed, total } = manifest.telemetry_events;
    verifyRows(
      (name) => (sound.has(name) ? bundle.read(name) : null),
      { head: manifest.chain.head, allTelemetry: listed === total },
      counts,
      found,
      known,
    );
    return {
      ok: count === 0,
      export: path,
      kind: bundle.kind,
      task: manifest.task,
      created_at: manifest.created_at,
      files: manifest.files.length,
      chain: manifest.chain,
      rows_checked: counts.checked,
      rows_masked: counts.masked,
      rows_unsealed: counts.unsealed,
      unlisted: bundle.kind === "directory" ? unlisted : [],
      problem_count: count,
      problems,
    };
  } finally {
    bundle.close();
  }
}
