/** Makes PNG files of every kind for tests, apart from the reader that is tested. */
import { crc32, deflateSync } from "node:zlib";

export interface Kind {
  readonly width: number;
  readonly height: number;
  readonly depth?: number;
  readonly colourType?: number;
  readonly interlaced?: boolean;
  /** The filter of row `y`; all five in turn unless given. */
  readonly filter?: (y: number) => number;
  readonly palette?: readonly (readonly [number, number, number])[];
  readonly transparency?: Uint8Array;
}

const CHANNELS: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;
export const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);

export function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const bytes = Buffer.alloc(8 + body.length);
  bytes.writeUInt32BE(data.length);
  body.copy(bytes, 4);
  bytes.writeUInt32BE(crc32(body), 4 + body.length);
  return bytes;
}

export function header({ width, height, depth = 8, colourType = 6, interlaced = false }: Kind): Buffer {
  const bytes = Buffer.alloc(13);
  bytes.writeUInt32BE(width);
  bytes.writeUInt32BE(height, 4);
  bytes.set([depth, colourType, 0, 0, interlaced ? 1 : 0], 8);
  return chunk("IHDR", bytes);
}

/** The filtered rows, not deflated; `sample` gives the value of a channel of a pixel. */
export function rawData(kind: Kind, sample: (x: number, y: number, channel: number) => number): Buffer {
  const { width, height, depth = 8, colourType = 6, interlaced = false, filter = (y) => y % 5 } = kind;
  const channels = CHANNELS[colourType]!;
  const step = Math.max(1, (channels * depth) / 8);
  const out: number[] = [];
  for (const [x0, y0, dx, dy] of interlaced ? PASSES : [[0, 0, 1, 1] as const]) {
    const columns = Math.ceil((width - x0) / dx);
    if (columns <= 0) continue;
    let before: number[] = [];
    for (let y = y0, line = 0; y < height; y += dy, line++) {
      let bits = "";
      for (let i = 0; i < columns; i++)
        for (let c = 0; c < channels; c++)
          bits += sample(x0 + i * dx, y, c)
            .toString(2)
            .padStart(depth, "0");
      const row = (bits.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, "0"), 2));
      const type = filter(line);
      out.push(type);
      row.forEach((value, i) => {
        const a = i < step ? 0 : row[i - step]!;
        const b = before[i] ?? 0;
        const c = i < step ? 0 : (before[i - step] ?? 0);
        const p = a + b - c;
        const paeth = [a, b, c].reduce((best, one) => (Math.abs(p - one) < Math.abs(p - best) ? one : best));
        out.push((value - [0, a, b, (a + b) >> 1, paeth][type]!) & 255);
      });
      before = row;
    }
  }
  return Buffer.from(out);
}

export function makePng(kind: Kind, sample: (x: number, y: number, channel: number) => number): Buffer {
  const colours = [
    ...(kind.palette ? [chunk("PLTE", Uint8Array.from(kind.palette.flat()))] : []),
    ...(kind.transparency ? [chunk("tRNS", kind.transparency)] : []),
  ];
  return Buffer.concat([
    SIGNATURE,
    header(kind),
    ...colours,
    chunk("IDAT", deflateSync(rawData(kind, sample))),
    chunk("IEND", new Uint8Array()),
  ]);
}
