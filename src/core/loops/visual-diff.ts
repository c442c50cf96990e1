/** Comparing two pictures exactly: which pixels differ, what share of all that is, and pictures that show it. */
import type { Samples } from "./png.ts";

export interface VisualDiff {
  readonly below_threshold: boolean;
  readonly candidate: string;
  readonly reference: string;
  readonly changed_pixels: number;
  readonly total_pixels: number;
  /** Changed pixels / all pixels. */
  readonly diff_score: number;
  readonly threshold: number;
  /** The mask, when one was written. */
  readonly diff_image: string | null;
  /** The picture for people, when one was written. */
  readonly overlay_image: string | null;
  readonly viewport: string;
}

/**
 * Marks the pixels of a row that differ in any channel, alpha included.
 * @param mask one byte per pixel: 1 changed, 0 equal
 * @returns how many differ
 */
export function markChanged(a: Samples, b: Samples, mask: Uint8Array): number {
  const left = new Uint32Array(a.buffer, a.byteOffset, a.byteLength / 4);
  const right = new Uint32Array(b.buffer, b.byteOffset, b.byteLength / 4);
  const words = left.length / mask.length;
  let changed = 0;
  for (let i = 0; i < mask.length; i++) {
    const differs = words === 1 ? left[i] !== right[i] : left[2 * i] !== right[2 * i] || left[2 * i + 1] !== right[2 * i + 1];
    mask[i] = differs ? 1 : 0;
    if (differs) changed++;
  }
  return changed;
}

const LIT = [255, 0, 0, 255] as const;

/** A row of the mask: opaque red where changed, nothing elsewhere. */
export function maskRow(mask: Uint8Array, out: Uint8Array): void {
  out.fill(0);
  for (let i = 0; i < mask.length; i++) if (mask[i] === 1) out.set(LIT, 4 * i);
}

/** How much of the original is left beside the white that dims it. */
const DIMMED = 0.2;

/** A row of the picture for people: the reference in pale gray, what changed in full red. */
export function overlayRow(mask: Uint8Array, reference: Samples, out: Uint8Array): void {
  const top = reference.BYTES_PER_ELEMENT === 1 ? 255 : 65_535;
  for (let i = 0, at = 0; i < mask.length; i++, at += 4) {
    if (mask[i] === 1) {
      out.set(LIT, at);
      continue;
    }
    const luma = (0.299 * reference[at]! + 0.587 * reference[at + 1]! + 0.114 * reference[at + 2]!) / top;
    const seen = (reference[at + 3]! / top) * DIMMED;
    out.fill(Math.round(255 * (1 - seen * (1 - luma))), at, at + 3);
    out[at + 3] = 255;
  }
}

/** A number with up to six significant digits, as proofs name it. */
export const sixDigits = (value: number): string => String(Number(value.toPrecision(6)));
