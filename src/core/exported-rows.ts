/** Reading the lists in an export without holding them whole: they are written one line after the other. */

/** The lines of a text that comes in pieces of bytes. */
export function* linesOf(pieces: Iterable<Uint8Array>): Generator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for (const piece of pieces) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
  rest += decoder.decode();
  if (rest !== "") yield rest;
}

/**
 * The objects of a list in a document of ours: of the list that is the document, or of the member `key` of the object that is.
 * A line break never stands inside a text, so an object begins and ends at lines of one indent.
 */
export function* listMembers(lines: Iterable<string>, key?: string): Generator<Record<string, unknown>> {
  const indent = key === undefined ? "  " : "    ";
  const head = key === undefined ? "[" : `  ${JSON.stringify(key)}: [`;
  let inside = false;
  let waiting: string[] = [];
  for (const line of lines) {
    if (!inside) {
      inside = line === head;
      continue;
    }
    if (line.startsWith("]", indent.length - 2)) return;
    waiting.push(line);
    if (!line.startsWith("}", indent.length) && !line.startsWith("{}", indent.length)) continue;
    yield JSON.parse(waiting.join("\n").replace(/,$/, "")) as Record<string, unknown>;
    waiting = [];
  }
}
