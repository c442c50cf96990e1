/**
 * Writing an export: every file beside its place, then all of them into place, the manifest behind the files it lists, the archive last.
 */
import { join } from "node:path";
import { prettyJson } from "../../core/json.ts";
import { digestText, MANIFEST, type Manifest } from "../../core/audit/manifest.ts";
import { SecretMask } from "../../core/secrets.ts";
import type { Task } from "../../core/tasks/task.ts";
import { instant, toIso } from "../../core/time.ts";
import { chainHead } from "../../store/record/chain.ts";
import { stateTime } from "../../store/audit/chain-export.ts";
import { snapshot } from "../../store/reading.ts";
import type { Store } from "../../store/store.ts";
import { summariseTelemetry } from "../../store/reports/telemetry-summary.ts";
import { Digest, sha256 } from "../../system/files/digest.ts";
import { placing, type StagedFile, stageFile } from "../../system/files/whole-file.ts";
import { readPieces, stageZip } from "../../system/files/zip-file.ts";
import { exportFiles, type ExportOptions, TELEMETRY_LIMIT } from "./export-files.ts";
import { pieces } from "./print.ts";
import { Progress } from "./progress.ts";
import type { TaskScene } from "../scene.ts";

export interface ExportRequest extends ExportOptions {
  /** Absolute. */
  readonly dir: string;
  readonly zip: boolean;
  /** Leave secrets as they are. */
  readonly secrets: boolean;
}

export interface Exported {
  readonly archive: string | null;
  readonly export_dir: string;
  readonly manifest: Manifest;
  readonly task: string;
}

interface Written {
  readonly name: string;
  readonly file: StagedFile;
  readonly sha256: string;
  readonly bytes: number;
}

function write(dir: string, name: string, parts: Iterable<string>, staged: StagedFile[], progress: Progress): Written {
  const file = stageFile(join(dir, name));
  staged.push(file);
  const digest = new Digest();
  for (const piece of pieces(parts)) {
    const bytes = Buffer.from(piece);
    digest.add(bytes);
    file.append(bytes);
    progress.tick(() => `exporting ${name}: ${(digest.bytes / 1e6).toFixed(1)} MB`);
  }
  return { name, file, bytes: digest.bytes, sha256: digest.end() };
}

function manifestOf(store: Store, task: Task, request: ExportRequest, files: readonly Written[], masked: number | null): Manifest {
  const { total } = summariseTelemetry(store, { taskId: task.id });
  const end = chainHead(store, task.id);
  const manifest: Manifest = {
    bytes: Object.fromEntries(files.map(({ name, bytes }) => [name, bytes])),
    chain: { head: end?.head ?? null, links: end?.count ?? 0 },
    created_at: toIso(instant(stateTime(store, task.id)) ?? 0),
    digest: "",
    files: files.map(({ name }) => name),
    masked_secrets: masked,
    sha256: Object.fromEntries(files.map(({ name, sha256 }) => [name, sha256])),
    task: { id: task.id, name: task.name },
    telemetry_events: { listed: request.allTelemetry ? total : Math.min(total, TELEMETRY_LIMIT), total },
  };
  return { ...manifest, digest: sha256(digestText(manifest)) };
}

/**
 * Exports a task. Nothing is changed in the database; files of the same names are replaced, others are left.
 * @throws Failure when something cannot be written; what was there before then still stands, as far as the disk allows
 */
export function exportTask({ cx, store, task }: TaskScene, request: ExportRequest): Exported {
  const staged: StagedFile[] = [];
  const progress = new Progress(cx);
  const mask = new SecretMask();
  const unmasked = { value: (value: unknown) => value, text: (text: string) => text };
  const archive = request.zip ? `${request.dir}.zip` : null;
  try {
    return placing(staged, (place) => {
      const manifest = snapshot(store, () => {
        const files = exportFiles(store, task, request, request.secrets ? unmasked : mask).map(({ name, parts }) =>
          write(request.dir, name, parts(), staged, progress),
        );
        return manifestOf(store, task, request, files, request.secrets ? null : mask.count);
      });
      write(request.dir, MANIFEST, [`${prettyJson(manifest)}\n`], staged, progress);
      if (archive !== null) {
        const members = [...manifest.files, MANIFEST].map((name, at) => ({ name, bytes: () => readPieces(staged[at]!.aside) }));
        staged.push(stageZip(archive, members, (name, bytes) => progress.tick(() => `packing ${name}: ${(bytes / 1e6).toFixed(1)} MB`)));
      }
      place();
      return { archive, export_dir: request.dir, manifest, task: task.name };
    });
  } finally {
    progress.end();
  }
}
