/**
 * The PNG format as far as comparing pictures needs it: header, colours, passes, row filters, and rows as RGBA. Every colour type and
 * depth.
 */

/** Thrown for a picture that breaks the format or a limit; the message does not name the file. */
export class PngError extends Error {}

export const PNG_SIGNATURE: readonly number[] = [137, 80, 78, 71, 13, 10, 26, 10];
/** 8,000 × 8,000: more than any screen, and small enough to compare in seconds. */
const MAX_PIXELS = 64_000_000;
const MAX_WIDTH = 65_535;

export interface PngFormat {
  readonly width: number;
  readonly height: number;
  /** Bits of a sample. */
  readonly depth: 1 | 2 | 4 | 8 | 16;
  /** 0 gray, 2 RGB, 3 palette, 4 gray and alpha, 6 RGBA. */
  readonly colourType: 0 | 2 | 3 | 4 | 6;
  readonly interlaced: boolean;
}

/** What the chunks PLTE and tRNS say. */
export interface PngColours {
  /** RGB triples. */
  readonly palette: Uint8Array | null;
  /** Palette: alpha by index. Gray and RGB: the samples, two bytes each, that are transparent. */
  readonly transparency: Uint8Array | null;
}

const CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 } as const;
const DEPTHS: Readonly<Record<number, readonly number[]>> = { 0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16] };

/** Reads the 13 bytes of IHDR. @throws PngError */
export function parseHeader(bytes: Uint8Array): PngFormat {
  if (bytes.length !== 13) throw new PngError("its IHDR chunk does not have 13 bytes");
  const view = new DataView(bytes.buffer, bytes.byteOffset, 13);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth, colourType, compression, filter, interlace] = bytes.subarray(8) as unknown as [number, number, number, number, number];
  if (width === 0 || height === 0) throw new PngError(`its size is ${width}x${height}`);
  if (!DEPTHS[colourType]?.includes(depth))
    throw new PngError(
      `colour type ${colourType} with bit depth ${depth} does not exist; supported are gray, RGB, palette, gray with alpha and RGBA ` +
        "in their depths",
    );
  if (compression !== 0 || filter !== 0) throw new PngError("its compression or filter method is unknown; only method 0 is supported");
  if (interlace > 1) throw new PngError(`its interlace method ${interlace} is unknown; supported are none and Adam7`);
  if (width > MAX_WIDTH || width * height > MAX_PIXELS)
    throw new PngError(`it has ${width}x${height} pixels; at most ${MAX_PIXELS} in rows of ${MAX_WIDTH} are compared`);
  return {
    width,
    height,
    depth: depth as PngFormat["depth"],
    colourType: colourType as PngFormat["colourType"],
    interlaced: interlace === 1,
  };
}

/** Bytes of a row of `width` pixels, without the filter byte. */
export const rowBytes = ({ colourType, depth }: PngFormat, width: number): number => Math.ceil((width * CHANNELS[colourType] * depth) / 8);

/** Distance in bytes to the sample that a filter looks at on the left. */
export const filterStep = ({ colourType, depth }: PngFormat): number => Math.max(1, (CHANNELS[colourType] * depth) / 8);

/** Where the rows of one pass lie in the picture: pixel i of row j stands at (x + i * dx, y + j * dy). */
export interface PngPass {
  readonly x: number;
  readonly y: number;
  readonly dx: number;
  readonly dy: number;
  readonly width: number;
  readonly height: number;
}

const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** The passes in the order of their data; those without pixels have no data and are left out. */
export function passesOf({ width, height, interlaced }: PngFormat): PngPass[] {
  if (!interlaced) return [{ x: 0, y: 0, dx: 1, dy: 1, width, height }];
  return ADAM7.map(([x, y, dx, dy]) => ({ x, y, dx, dy, width: Math.ceil((width - x) / dx), height: Math.ceil((height - y) / dy) })).filter(
    (pass) => pass.width > 0 && pass.height > 0,
  );
}

/** Bytes of a pass in the inflated data. */
export const passBytes = (format: PngFormat, pass: PngPass): number => (rowBytes(format, pass.width) + 1) * pass.height;

/**
 * Undoes a row's filter in place.
 * @param before the row above, undone already; zeros for the first row of a pass
 * @throws PngError for an unknown filter
 */
export function unfilter(filter: number, row: Uint8Array, before: Uint8Array, step: number): void {
  const { length } = row;
  switch (filter) {
    case 0:
      return;
    case 1:
      for (let i = step; i < length; i++) row[i] = row[i]! + row[i - step]!;
      return;
    case 2:
      for (let i = 0; i < length; i++) row[i] = row[i]! + before[i]!;
      return;
    case 3:
      for (let i = 0; i < length; i++) row[i] = row[i]! + (((i < step ? 0 : row[i - step]!) + before[i]!) >> 1);
      return;
    case 4:
      for (let i = 0; i < step && i < length; i++) row[i] = row[i]! + before[i]!;
      for (let i = step; i < length; i++) {
        const [a, b, c] = [row[i - step]!, before[i]!, before[i - step]!];
        const toA = Math.abs(b - c);
        const toB = Math.abs(a - c);
        const toC = Math.abs(a + b - 2 * c);
        row[i] = row[i]! + (toA <= toB && toA <= toC ? a : toB <= toC ? b : c);
      }
      return;
    default:
      throw new PngError(`a row has the unknown filter ${filter}`);
  }
}

/** RGBA samples of one row, 8 or 16 bits each. */
export type Samples = Uint8Array | Uint16Array;

/** Puts one row's pixels into a row of the picture, from `x` on in steps of `dx`. */
type RowReader = (row: Uint8Array, width: number, out: Samples, x: number, dx: number) => void;

/**
 * Makes the reader that turns raw rows into RGBA of `bits` per sample; smaller samples are widened exactly (255 becomes 65535).
 * @throws PngError (the maker or the reader) for a palette that is missing or too small
 */
export function rowReader(format: PngFormat, colours: PngColours, bits: 8 | 16): RowReader {
  const { colourType, depth } = format;
  const channels = CHANNELS[colourType];
  const top = bits === 8 ? 255 : 65_535;
  const scale = top / (2 ** depth - 1);
  const perByte = 8 / depth;
  const sample = (row: Uint8Array, i: number): number => {
    if (depth === 8) return row[i]!;
    if (depth === 16) return (row[2 * i]! << 8) | row[2 * i + 1]!;
    return (row[(i / perByte) | 0]! >> (8 - depth * ((i % perByte) + 1))) & (2 ** depth - 1);
  };
  if (colourType === 3) return paletteReader(colours, sample, top / 255);
  const clear = colours.transparency;
  const clearAt = (i: number): number => (clear![2 * i]! << 8) | clear![2 * i + 1]!;
  const opaque = channels === 1 || channels === 3;
  const clearSamples =
    opaque && clear !== null && clear.length >= 2 * channels ? Array.from({ length: channels }, (_, i) => clearAt(i)) : null;
  if (colourType === 6 && depth === 8 && bits === 8) {
    return (row, width, out, x, dx) => {
      if (dx === 1) return out.set(row.subarray(0, 4 * width), 4 * x);
      for (let i = 0; i < width; i++) for (let c = 0, to = 4 * (x + i * dx); c < 4; c++) out[to + c] = row[4 * i + c]!;
    };
  }
  const colour = channels > 2 ? [0, 1, 2] : [0, 0, 0];
  return (row, width, out, x, dx) => {
    for (let i = 0; i < width; i++) {
      const from = i * channels;
      const to = 4 * (x + i * dx);
      for (let c = 0; c < 3; c++) out[to + c] = sample(row, from + colour[c]!) * scale;
      if (!opaque) out[to + 3] = sample(row, from + channels - 1) * scale;
      else out[to + 3] = clearSamples?.every((value, c) => value === sample(row, from + c)) ? 0 : top;
    }
  };
}

function paletteReader({ palette, transparency }: PngColours, sample: (row: Uint8Array, i: number) => number, scale: number): RowReader {
  if (!palette) throw new PngError("it uses a palette but has no PLTE chunk");
  return (row, width, out, x, dx) => {
    for (let i = 0; i < width; i++) {
      const index = sample(row, i);
      if (3 * index + 2 >= palette.length) throw new PngError(`a pixel has colour ${index}, which its palette does not have`);
      const to = 4 * (x + i * dx);
      for (let c = 0; c < 3; c++) out[to + c] = palette[3 * index + c]! * scale;
      out[to + 3] = (transparency?.[index] ?? 255) * scale;
    }
  };
}
