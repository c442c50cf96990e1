/** Printing what is made while it is printed, in pieces of a decent size. */
import type { Context } from "../../context.ts";
import { compactJson } from "../../core/json.ts";
import { harmless, harmlessJson } from "../../core/plain-text.ts";
import { stageFile } from "../../system/files/whole-file.ts";
import { jsonParts } from "../../view/json-stream.ts";

const PIECE = 1 << 16;

/** Gathers small texts into pieces of some 64 KB. */
export function* pieces(parts: Iterable<string>): Generator<string> {
  let waiting: string[] = [];
  let size = 0;
  for (const part of parts) {
    waiting.push(part);
    size += part.length;
    if (size < PIECE) continue;
    yield waiting.join("");
    waiting = [];
    size = 0;
  }
  if (size > 0) yield waiting.join("");
}

/** Prints texts one after the other, as they are. */
export function printParts(cx: Context, parts: Iterable<string>): void {
  for (const piece of pieces(parts)) cx.raw(piece);
}

/** Prints lines, each with its line break, without what a terminal would obey. */
export function printLines(cx: Context, lines: Iterable<string>): void {
  printParts(
    cx,
    (function* () {
      for (const line of lines) yield `${harmless(line)}\n`;
    })(),
  );
}

/** Each value as JSON on a line of its own. */
export function* jsonLines(values: Iterable<unknown>): Generator<string> {
  for (const value of values) yield harmlessJson(compactJson(value));
}

/** Prints one JSON document that may hold streams. */
export function printJson(cx: Context, value: unknown): void {
  printParts(
    cx,
    (function* () {
      for (const part of jsonParts(value)) yield harmlessJson(part);
      yield "\n";
    })(),
  );
}

/** Writes a file whole, made while it is written. Throws a Failure naming the path when that is not possible. */
export function writeParts(path: string, parts: Iterable<string>): { output: string; bytes: number } {
  const file = stageFile(path);
  try {
    let bytes = 0;
    for (const piece of pieces(parts)) {
      const part = Buffer.from(piece);
      bytes += part.length;
      file.append(part);
    }
    file.place();
    return { output: path, bytes };
  } finally {
    file.discard();
  }
}
