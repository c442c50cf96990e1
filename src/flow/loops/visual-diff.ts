/** Compares two PNG files row by row and writes the pictures that show the difference. */
import { realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Failure } from "../../core/failure.ts";
import { prettyJson } from "../../core/json.ts";
import { markChanged, maskRow, overlayRow, type VisualDiff } from "../../core/loops/visual-diff.ts";
import { openPng, type PngFile, PngWriter } from "../../system/files/png-file.ts";
import { type StagedFile, stageFile } from "../../system/files/whole-file.ts";

/** All paths absolute. */
export interface DiffInput {
  readonly reference: string;
  readonly candidate: string;
  readonly threshold: number;
  readonly diffOutput?: string | undefined;
  readonly overlayOutput?: string | undefined;
  readonly reportOutput?: string | undefined;
}

/** Where a path really leads, as far as it exists; its last part itself is replaced by a write and not followed. */
const realPlace = (path: string): string => {
  try {
    return join(realpathSync(dirname(path)), basename(path));
  } catch {
    return path;
  }
};

/** No file is written over another of the same call. @throws Failure naming the path */
function refuseOverlap({ reference, candidate, diffOutput, overlayOutput, reportOutput }: DiffInput): void {
  const seen = new Set([reference, candidate].map(realPlace));
  for (const path of [diffOutput, overlayOutput, reportOutput]) {
    if (path === undefined) continue;
    if (seen.has(realPlace(path)))
      throw new Failure(`${path} would be written over a picture or another output of this comparison`, {
        hint: "give every output a path of its own",
      });
    seen.add(realPlace(path));
  }
}

const sizeOf = ({ format }: PngFile): string => `${format.width}x${format.height}`;

/**
 * Compares the pictures. The outputs are staged: the caller places them when the evidence is recorded, and discards them in any case.
 * @throws Failure naming the file or both sizes; nothing is left on the disk then
 */
export async function compareFiles(input: DiffInput): Promise<{ diff: VisualDiff; files: StagedFile[] }> {
  refuseOverlap(input);
  const opened: PngFile[] = [];
  const files: StagedFile[] = [];
  const stage = (path: string | undefined): StagedFile | undefined => {
    if (path === undefined) return undefined;
    const file = stageFile(path);
    files.push(file);
    return file;
  };
  try {
    const [reference, candidate] = [openPng(input.reference), openPng(input.candidate)].map((file) => (opened.push(file), file)) as [
      PngFile,
      PngFile,
    ];
    if (sizeOf(reference) !== sizeOf(candidate)) {
      throw new Failure(
        `the pictures differ in size: ${input.reference} has ${sizeOf(reference)}, ${input.candidate} has ${sizeOf(candidate)}`,
        { hint: "take the candidate's screenshot with the viewport of the reference" },
      );
    }
    const changed = await compareRows(reference, candidate, stage(input.diffOutput), stage(input.overlayOutput));
    const { width, height } = reference.format;
    const total = width * height;
    const diff: VisualDiff = {
      below_threshold: changed / total <= input.threshold,
      candidate: input.candidate,
      reference: input.reference,
      changed_pixels: changed,
      total_pixels: total,
      diff_score: changed / total,
      threshold: input.threshold,
      diff_image: input.diffOutput ?? null,
      overlay_image: input.overlayOutput ?? null,
      viewport: sizeOf(reference),
    };
    stage(input.reportOutput)?.append(`${prettyJson(diff)}\n`);
    return { diff, files };
  } catch (error) {
    for (const file of files) file.discard();
    throw error;
  } finally {
    for (const file of opened) file.close();
  }
}

async function compareRows(
  reference: PngFile,
  candidate: PngFile,
  maskFile: StagedFile | undefined,
  overlayFile: StagedFile | undefined,
): Promise<number> {
  const { width, height } = reference.format;
  const bits = reference.format.depth === 16 || candidate.format.depth === 16 ? 16 : 8;
  const [left, right] = [reference.rows(bits), candidate.rows(bits)];
  const mask = new Uint8Array(width);
  const line = new Uint8Array(4 * width);
  const maskPng = maskFile && new PngWriter(maskFile, width, height);
  const overlayPng = overlayFile && new PngWriter(overlayFile, width, height);
  let changed = 0;
  try {
    for (;;) {
      // Both are asked to their end, so that damage behind the last row is noticed in either.
      const [a, b] = [await left.next(), await right.next()];
      if (a.done || b.done) break;
      changed += markChanged(a.value, b.value, mask);
      if (maskPng) {
        maskRow(mask, line);
        await maskPng.row(line);
      }
      if (overlayPng) {
        overlayRow(mask, a.value, line);
        await overlayPng.row(line);
      }
    }
    await maskPng?.end();
    await overlayPng?.end();
    return changed;
  } catch (error) {
    await maskPng?.giveUp();
    await overlayPng?.giveUp();
    throw error;
  } finally {
    await left.return();
    await right.return();
  }
}
