/** Printing what is made while it is printed, in pieces of a decent size. */
import type { Context } from "../context.ts";
import { jsonParts } from "../view/json-stream.ts";

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

/** Prints lines, each with its line break. */
export function printLines(cx: Context, lines: Iterable<string>): void {
  printParts(
    cx,
    (function* () {
      for (const line of lines) yield `${line}\n`;
    })(),
  );
}

/** Prints one JSON document that may hold streams. */
export function printJson(cx: Context, value: unknown): void {
  printParts(
    cx,
    (function* () {
      yield* jsonParts(value);
      yield "\n";
    })(),
  );
}
