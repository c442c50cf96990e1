/** Reading the lists in an export without holding them whole: they are written one line after the other. */
import { Failure } from "../failure.ts";

const FOREIGN = { hint: "it was not written by export-task, or was changed afterwards" };

/** Far more than any record holds; an archive of a few kilobytes can unpack to a line without end. */
const LONGEST = 1 << 26;

/** The lines of a text that comes in pieces of bytes. Throws a Failure at one that no export holds. */
export function* linesOf(pieces: Iterable<Uint8Array>): Generator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const decoded = (piece?: Uint8Array): string => {
    try {
      return decoder.decode(piece, { stream: piece !== undefined });
    } catch (error) {
      throw new Failure("the export holds a record that is no text", { ...FOREIGN, cause: error });
    }
  };
  let rest: string[] = [];
  let length = 0;
  for (const piece of pieces) {
    const lines = decoded(piece).split("\n");
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
  const end = rest.join("") + decoded();
  if (end !== "") yield end;
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw new Failure("the export holds a record that cannot be read", { ...FOREIGN, cause: error });
  }
}

/** Where the text ends that `line` begins with at `from`. */
function textEnd(line: string, from: number): number {
  for (let at = line.indexOf('"', from + 1); at !== -1; at = line.indexOf('"', at + 1)) {
    let escapes = 0;
    while (line[at - 1 - escapes] === "\\") escapes++;
    if (escapes % 2 === 0) return at + 1;
  }
  return line.length;
}

/** Whether it is one value as `prettyJson` puts it on a line: no list or object but an empty one. */
function isLineValue(text: string): boolean {
  if (text === "{}" || text === "[]") return true;
  try {
    return !/^[[{]/.test(text) && JSON.stringify(JSON.parse(text)) === text;
  } catch {
    return false;
  }
}

/**
 * The lines of a document, as they come. Throws a Failure at one that `prettyJson` would not write there: JSON can be written so that
 * readers see different things in it (a member twice, two on a line), and ours is not.
 */
export function* prettyLines(lines: Iterable<string>): Generator<string> {
  /** The open lists and objects: of an object its last key. */
  const open: (string | null | undefined)[] = [];
  let done = false;
  const foreign = () => new Failure("the export holds a record that is not written as export-task writes it", FOREIGN);
  for (const line of lines) {
    const indent = line.search(/[^ ]|$/);
    const text = line.slice(indent).replace(/,$/, "");
    if (done) throw foreign();
    if (text === "}" || text === "]") {
      if (open.length === 0 || (open.pop() === null) !== (text === "]")) throw foreign();
      if (indent !== open.length * 2) throw foreign();
    } else {
      if (indent !== open.length * 2) throw foreign();
      const last = open.at(-1);
      let value = text;
      if (open.length > 0 && last !== null) {
        const end = textEnd(text, 0);
        if (text[0] !== '"' || !text.startsWith(": ", end) || !isLineValue(text.slice(0, end))) throw foreign();
        const key = JSON.parse(text.slice(0, end)) as string;
        if (last !== undefined && key <= last) throw foreign();
        open[open.length - 1] = key;
        value = text.slice(end + 2);
      }
      if (value === "[") open.push(null);
      else if (value === "{") open.push(undefined);
      else if (!isLineValue(value)) throw foreign();
    }
    done = open.length === 0;
    yield line;
  }
  if (!done) throw foreign();
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
    if (line.startsWith("]", indent.length - 2)) {
      inside = false;
      continue;
    }
    waiting.push(line);
    if (!line.startsWith("}", indent.length) && !line.startsWith("{}", indent.length)) continue;
    yield parsed(waiting.join("\n").replace(/,$/, ""));
    waiting = [];
  }
}
