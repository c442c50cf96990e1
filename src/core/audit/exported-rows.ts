/** Reading the lists in an export without holding them whole: they are written one line after the other. */
import { Failure } from "../failure.ts";

const FOREIGN = { hint: "it was not written by export-task, or was changed afterwards" };

/** Far more than any record holds; an archive of a few kilobytes can unpack to a line without end. */
const LONGEST = 1 << 26;

/** The lines of a text that comes in pieces of bytes. Throws a Failure at one that no export holds. */
export function* linesOf(pieces: Iterable<Uint8Array>): Generator<string> {
  const decoder = new TextDecoder();
  let rest: string[] = [];
  let length = 0;
  for (const piece of pieces) {
    const lines = decoder.decode(piece, { stream: true }).split("\n");
    const last = lines.pop()!;
    if (lines.length > 0) {
      yield rest.join("") + lines[0]!;
      yield* lines.slice(1);
      rest = [];
      length = 0;
    }
    rest.push(last);
    length += last.length;
    if (length > LONGEST) throw new Failure("the export holds a record that is too long to be one", FOREIGN);
  }
  const end = rest.join("") + decoder.decode();
  if (end !== "") yield end;
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw new Failure("the export holds a record that cannot be read", { ...FOREIGN, cause: error });
  }
}

/**
 * The objects of a list in a document of ours: of the list that is the document, or of the member `key` of the object that is.
 * A line break never stands inside a text, so an object begins and ends at lines of one indent. Throws a Failure at one that is none.
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
    yield parsed(waiting.join("\n").replace(/,$/, ""));
    waiting = [];
  }
}
