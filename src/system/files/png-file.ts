/**
 * PNG files read and written row by row: memory holds a few rows, whatever the size of the picture. Not by pngjs 7.0.0, which holds whole
 * pictures: two of the largest that we promise, 8,000 x 8,000, took it 1.6 GB (one 0.8 GB), and this 79 MB for the whole comparison.
 */
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { type Duplex, pipeline, Readable } from "node:stream";
import { crc32, createDeflate, createInflate } from "node:zlib";
import { Failure } from "../../core/failure.ts";
import {
  filterStep,
  parseHeader,
  passBytes,
  passesOf,
  PNG_SIGNATURE,
  type PngColours,
  PngError,
  type PngFormat,
  type PngPass,
  rowBytes,
  rowReader,
  type Samples,
  unfilter,
} from "../../core/loops/png.ts";
import type { StagedFile } from "./whole-file.ts";

/** An opened picture; its format is checked, its pixels are not read yet. */
export interface PngFile {
  readonly path: string;
  readonly format: PngFormat;
  /** All rows from the top as RGBA of `bits` per sample; each is overwritten by the next. @throws Failure naming the file */
  rows(bits: 8 | 16): AsyncGenerator<Samples, void>;
  close(): void;
}

interface Span {
  readonly at: number;
  readonly length: number;
}

const INFLATE_CHUNK = 256 * 1024;

/** @throws Failure naming the file when it cannot be read or is no PNG that can be compared */
export function openPng(path: string): PngFile {
  const named = <T>(action: () => T): T => {
    try {
      return action();
    } catch (error) {
      throw refusal(path, error);
    }
  };
  const fd = named(() => {
    if (!statSync(path).isFile()) throw new PngError("it is not a file");
    return openSync(path, "r");
  });
  try {
    const { format, colours, data } = named(() => readChunks(fd, statSync(path).size));
    return { path, format, rows: (bits) => pictureRows(path, fd, format, colours, data, bits), close: () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function refusal(path: string, error: unknown): Error {
  if (error instanceof PngError)
    return new Failure(`${path} cannot be compared: ${error.message}`, {
      hint: "give a PNG file, as browsers and screenshot programs write it",
    });
  const { code } = error as { code?: unknown };
  if (typeof code === "string" && code.startsWith("Z_"))
    return new Failure(`${path} cannot be compared: its data is damaged (${(error as Error).message})`, { cause: error });
  if (typeof code === "string") return new Failure(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  return error as Error;
}

function bytesAt(fd: number, { at, length }: Span): Buffer {
  const bytes = Buffer.alloc(length);
  for (let done = 0; done < length;) {
    const read = readSync(fd, bytes, done, length - done, at + done);
    if (read === 0) throw new PngError("it ends in the middle of a chunk");
    done += read;
  }
  return bytes;
}

/** Walks over the chunks; those that do not change pixels are skipped, checksums are not looked at, and IEND may be missing. */
function readChunks(fd: number, size: number): { format: PngFormat; colours: PngColours; data: Span[] } {
  if (size < 8 || !bytesAt(fd, { at: 0, length: 8 }).equals(Buffer.from(PNG_SIGNATURE))) throw new PngError("it is not a PNG file");
  let format: PngFormat | null = null;
  let [palette, transparency]: [Buffer | null, Buffer | null] = [null, null];
  const data: Span[] = [];
  for (let at = 8; at < size;) {
    if (at + 12 > size) throw new PngError("it ends in the middle of a chunk");
    const head = bytesAt(fd, { at, length: 8 });
    const span = { at: at + 8, length: head.readUInt32BE(0) };
    const type = head.toString("latin1", 4);
    if (span.at + span.length + 4 > size) throw new PngError("it ends in the middle of a chunk");
    if (type === "IEND") break;
    if (type === "IHDR") format = parseHeader(bytesAt(fd, span));
    else if (type === "PLTE") palette = bytesAt(fd, { ...span, length: Math.min(span.length, 768) });
    else if (type === "tRNS") transparency = bytesAt(fd, { ...span, length: Math.min(span.length, 256) });
    else if (type === "IDAT") data.push(span);
    at = span.at + span.length + 4;
  }
  if (!format) throw new PngError("it has no IHDR chunk");
  return { format, colours: { palette, transparency }, data };
}

function* dataChunks(fd: number, data: readonly Span[]): Generator<Buffer> {
  for (const span of data) {
    for (let done = 0; done < span.length; done += INFLATE_CHUNK)
      yield bytesAt(fd, { at: span.at + done, length: Math.min(INFLATE_CHUNK, span.length - done) });
  }
}

/** The inflated data as a stream of bytes that is pulled; what is not asked for is never inflated. */
class Inflated {
  private readonly stream: Duplex;
  private readonly chunks: AsyncIterator<Buffer>;
  private chunk: Buffer = Buffer.alloc(0);

  constructor(fd: number, data: readonly Span[]) {
    this.stream = createInflate({ chunkSize: INFLATE_CHUNK });
    // The error, if any, comes out of the iterator below.
    pipeline(Readable.from(dataChunks(fd, data)), this.stream, () => {});
    this.chunks = this.stream[Symbol.asyncIterator]();
  }

  /** The next bytes, at most `most`; null at the end. */
  private async take(most: number): Promise<Buffer | null> {
    while (this.chunk.length === 0) {
      const next = await this.chunks.next();
      if (next.done) return null;
      this.chunk = next.value;
    }
    const part = this.chunk.subarray(0, most);
    this.chunk = this.chunk.subarray(part.length);
    return part;
  }

  /** Fills `out`, or throws when the data ends before. */
  async fill(out: Uint8Array): Promise<void> {
    for (let done = 0; done < out.length;) {
      const part = await this.take(out.length - done);
      if (part === null) throw new PngError("its data is shorter than its size says");
      out.set(part, done);
      done += part.length;
    }
  }

  async skip(length: number): Promise<void> {
    for (let left = length; left > 0;) {
      const part = await this.take(left);
      if (part === null) throw new PngError("its data is shorter than its size says");
      left -= part.length;
    }
  }

  async finish(): Promise<void> {
    if ((await this.take(1)) !== null) throw new PngError("its data is longer than its size says");
  }

  close(): void {
    this.stream.destroy();
  }
}

/** The raw rows of one pass, their filters undone. */
async function* passRows(
  fd: number,
  data: readonly Span[],
  format: PngFormat,
  pass: PngPass,
  start: number,
  last: boolean,
): AsyncGenerator<Uint8Array, void> {
  const bytes = new Inflated(fd, data);
  try {
    await bytes.skip(start);
    const length = rowBytes(format, pass.width) + 1;
    const step = filterStep(format);
    let [row, before] = [new Uint8Array(length), new Uint8Array(length)];
    for (let y = 0; y < pass.height; y++) {
      await bytes.fill(row);
      unfilter(row[0]!, row.subarray(1), before.subarray(1), step);
      yield row.subarray(1);
      [row, before] = [before, row];
    }
    if (last) await bytes.finish();
  } finally {
    bytes.close();
  }
}

/** An interlaced picture is inflated once for each pass, side by side: twice the work, but never the whole picture in memory. */
async function* pictureRows(
  path: string,
  fd: number,
  format: PngFormat,
  colours: PngColours,
  data: readonly Span[],
  bits: 8 | 16,
): AsyncGenerator<Samples, void> {
  const passes = passesOf(format);
  let start = 0;
  const readers = passes.map((pass, at) => {
    const rows = passRows(fd, data, format, pass, start, at === passes.length - 1);
    start += passBytes(format, pass);
    return { pass, rows };
  });
  try {
    const read = rowReader(format, colours, bits);
    const out = bits === 8 ? new Uint8Array(4 * format.width) : new Uint16Array(4 * format.width);
    for (let y = 0; y < format.height; y++) {
      for (const { pass, rows } of readers) {
        if (y < pass.y || (y - pass.y) % pass.dy !== 0) continue;
        const { value } = await rows.next();
        read(value as Uint8Array, pass.width, out, pass.x, pass.dx);
      }
      yield out;
    }
    for (const { rows } of readers) await rows.next();
  } catch (error) {
    throw refusal(path, error);
  } finally {
    for (const { rows } of readers) await rows.return();
  }
}

/** Writes an RGBA picture of 8 bits per sample into a staged file, row by row. Ended or given up, never both. */
export class PngWriter {
  private readonly deflate = createDeflate({ level: 3 });
  private readonly drained: Promise<void>;
  /** What stopped the writing; thrown at the next row, since nobody waits for it before. */
  private failure: unknown = null;

  constructor(
    private readonly file: StagedFile,
    private readonly width: number,
    height: number,
  ) {
    const header = Buffer.alloc(13);
    header.writeUInt32BE(width, 0);
    header.writeUInt32BE(height, 4);
    header.set([8, 6, 0, 0, 0], 8);
    file.append(Uint8Array.from(PNG_SIGNATURE));
    file.append(chunk("IHDR", header));
    this.drained = this.drain().catch((error) => void (this.failure = error));
  }

  private async drain(): Promise<void> {
    for await (const part of this.deflate) this.file.append(chunk("IDAT", part as Buffer));
    this.file.append(chunk("IEND", Buffer.alloc(0)));
  }

  /** @throws Failure when the file could not be written */
  async row(rgba: Uint8Array): Promise<void> {
    const line = Buffer.alloc(4 * this.width + 1);
    line.set(rgba, 1);
    if (!this.deflate.write(line)) await Promise.race([new Promise((resolve) => this.deflate.once("drain", resolve)), this.drained]);
    if (this.failure) throw this.failure;
  }

  /** Must be called after the last row; the file is complete then. @throws Failure when it could not be written */
  async end(): Promise<void> {
    this.deflate.end();
    await this.drained;
    if (this.failure) throw this.failure;
  }

  /** Stops writing; the file is of no use then. */
  async giveUp(): Promise<void> {
    this.deflate.destroy();
    await this.drained;
  }
}

function chunk(type: string, data: Buffer): Buffer {
  const bytes = Buffer.alloc(12 + data.length);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(type, 4, "latin1");
  data.copy(bytes, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length);
  return bytes;
}
