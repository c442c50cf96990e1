/** How far somebody who waits has been shown what happens: built on the records' own numbers and on names of facts, never on a clock. */

export interface Cursor {
  /** Mark of the database that the numbers are of. */
  readonly database: string;
  /** The newest record of any transcript, the newest notification and the newest event by then. */
  readonly record: number;
  readonly message: number;
  readonly event: number;
  /** Marks of what was so then and had been shown. */
  readonly known: ReadonlySet<string>;
  /** Marks of messages that had a row then and have not been shown: not delivered yet, or kept back. */
  readonly coming: ReadonlySet<string>;
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const MARK = 7;
const one = `[\\w-]{${MARK}}`;
const FORM = new RegExp(`^w1\\.(${one})\\.([0-9a-z]+)\\.([0-9a-z]+)\\.([0-9a-z]+)\\.((?:${one})*)\\.((?:${one})*)\\.(${one})$`);

/** A short name of a text: 42 bits of its 64-bit hash (FNV-1a), in letters that no shell and no model trips over. */
export function markOf(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  let mark = "";
  // The low bits of this hash are the weakest: all of them go into each letter's step.
  for (let at = 0; at < MARK; at++) {
    mark += LETTERS[Number((hash >> 58n) & 63n)];
    hash = BigInt.asUintN(64, (hash ^ (hash >> 29n)) * 0xbf58476d1ce4e5b9n);
  }
  return mark;
}

const marksIn = (text: string): Set<string> => new Set(text.match(new RegExp(`.{${MARK}}`, "g")) ?? []);
const together = (marks: ReadonlySet<string>): string => [...marks].sort().join("");

/** The cursor as it is handed out: short, since an agent copies it by hand. */
export function writeCursor({ database, record, message, event, known, coming }: Cursor): string {
  const numbers = [record, message, event].map((mark) => mark.toString(36));
  const body = ["w1", database, ...numbers, together(known), together(coming)].join(".");
  return `${body}.${markOf(body)}`;
}

/** A cursor as it was handed in; null when it is none, or not whole. */
export function readCursor(text: string): Cursor | null {
  const found = FORM.exec(text);
  if (found === null) return null;
  const [whole, database = "", record = "", message = "", event = "", known = "", coming = "", check = ""] = found;
  if (markOf(whole.slice(0, -MARK - 1)) !== check) return null;
  const numbers = { record: Number.parseInt(record, 36), message: Number.parseInt(message, 36), event: Number.parseInt(event, 36) };
  if (!Object.values(numbers).every(Number.isSafeInteger)) return null;
  return { database, ...numbers, known: marksIn(known), coming: marksIn(coming) };
}
