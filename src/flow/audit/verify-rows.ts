/** The rows of an export against the links of its chain. */
import { CHAIN_START, type ChainTable, isLink, isWhole, linkText, sealedText } from "../../core/chain.ts";
import { linesOf, listMembers, prettyLines } from "../../core/audit/exported-rows.ts";
import { REDACTED } from "../../core/sessions/session.ts";
import { sha256 } from "../../system/files/digest.ts";

export interface Finding {
  readonly kind: "missing" | "changed" | "chain";
  readonly file: string;
  readonly id: number | string | null;
  readonly message: string;
}

export interface RowCounts {
  checked: number;
  masked: number;
  unsealed: number;
}

const CHAIN_FILE = "audit-chain.json";
type ExportedRow = Record<string, unknown> & { readonly id: number | string };

/** Rows of one table that are looked up in the order of the links, which is nearly their own. */
class Rows {
  private readonly passed = new Map<number | string, ExportedRow>();
  private readonly rest: Iterator<ExportedRow>;

  constructor(
    readonly file: string,
    /** All rows of the table are in the file. */
    readonly complete: boolean,
    rows: Iterable<Record<string, unknown>>,
  ) {
    this.rest = (rows as Iterable<ExportedRow>)[Symbol.iterator]();
  }

  take(id: number | string): ExportedRow | null {
    const known = this.passed.get(id);
    if (known) {
      this.passed.delete(id);
      return known;
    }
    for (let next = this.rest.next(); !next.done; next = this.rest.next()) {
      if (next.value.id === id) return next.value;
      this.passed.set(next.value.id, next.value);
    }
    return null;
  }

  /** How many rows were never asked for. */
  left(): number {
    let count = this.passed.size;
    for (let next = this.rest.next(); !next.done; next = this.rest.next()) count++;
    return count;
  }
}

/** What an export gives of its files; null for one that is not as it was written. */
export type ReadFile = (name: string) => Iterable<Uint8Array> | null;

/**
 * Follows the links of the chain to its end, and compares each row that the export holds.
 * @param allTelemetry the export holds every telemetry event
 * @param known an end of the chain that was noted elsewhere and must be part of it
 */
export function verifyRows(
  read: ReadFile,
  manifest: { head: string | null; allTelemetry: boolean },
  counts: RowCounts,
  found: (finding: Finding) => void,
  known?: string,
): void {
  const list = (file: string, key?: string) => {
    const bytes = read(file);
    return bytes === null ? [] : listMembers(prettyLines(linesOf(bytes)), key);
  };
  const open = (file: string, complete: boolean, key?: string) => new Rows(file, complete && read(file) !== null, list(file, key));
  const tables: Record<ChainTable, Rows> = {
    events: open("audit.json", true, "events"),
    telemetry_events: open("telemetry-events.json", manifest.allTelemetry),
  };
  let [last, seen] = [CHAIN_START, known === undefined];
  for (const link of list(CHAIN_FILE, "links")) {
    if (!isLink(link)) {
      found({ kind: "chain", file: CHAIN_FILE, id: null, message: "a link of the chain has not the form of one" });
      continue;
    }
    if (link.row_sha256 === null)
      found({
        kind: "missing",
        file: CHAIN_FILE,
        id: link.id,
        message: `${link.table} ${link.id} was sealed and already gone when this was exported`,
      });
    else if (sha256(linkText(last, link.row_sha256)) !== link.hash)
      found({ kind: "chain", file: CHAIN_FILE, id: link.id, message: `${link.table} ${link.id} is not what was sealed` });
    last = link.hash;
    seen ||= last === known;
    const rows = tables[link.table];
    const row = rows.take(link.id);
    if (row === null) {
      if (rows.complete)
        found({ kind: "missing", file: rows.file, id: link.id, message: `${link.table} ${link.id} is sealed, but not in the export` });
    } else if (isWhole(link.table, row) && sha256(sealedText(link.table, row)) === link.row_sha256) counts.checked++;
    else if (JSON.stringify(row).includes(REDACTED)) counts.masked++;
    else found({ kind: "changed", file: rows.file, id: link.id, message: `${link.table} ${link.id} is not what was sealed` });
  }
  if (read(CHAIN_FILE) !== null && last !== (manifest.head ?? CHAIN_START))
    found({ kind: "chain", file: CHAIN_FILE, id: null, message: "the links do not lead to the end that the manifest names" });
  if (!seen) found({ kind: "chain", file: CHAIN_FILE, id: null, message: `the end ${known} that was noted is no part of the chain` });
  counts.unsealed = tables.events.left() + tables.telemetry_events.left();
}
