/** Looking whether the sealed rows are still what was sealed. */
import { CHAIN_START, type ChainProblem, type ChainReport, type ChainTable, PROBLEMS_SHOWN } from "../../core/chain.ts";
import { type Row, type Shown, shown } from "../../core/row.ts";
import { CHAIN_ROOM, type ChainHead, chainHead, linkHash, rowHash } from "../record/chain.ts";
import { rows } from "../reading.ts";
import type { Store } from "../store.ts";

interface Link {
  /** From 1 on, without gaps. */
  readonly seq: number;
  readonly table: ChainTable;
  readonly id: number | string;
  readonly hash: string;
}

interface LinkRow {
  readonly id: number;
  readonly event_id: number | null;
  readonly telemetry_id: string | null;
  readonly hash: string;
}

/** The links of the chain in their order. */
export function* chainLinks(store: Store, { chain }: ChainHead): Generator<Link> {
  for (const row of rows<LinkRow>(
    store,
    "select * from audit_links where id > ? and id < ? order by id",
    chain * CHAIN_ROOM,
    (chain + 1) * CHAIN_ROOM,
  )) {
    yield {
      seq: row.id - chain * CHAIN_ROOM,
      table: row.event_id === null ? "telemetry_events" : "events",
      id: row.event_id ?? row.telemetry_id!,
      hash: row.hash,
    };
  }
}

/** The row that a link seals, or null when it is gone. */
export function linkedRow(store: Store, { table, id }: Link): Shown | null {
  const row = store.db.query<Row, [number | string]>(`select * from ${table} where id = ?`).get(id);
  return row && shown(row);
}

class Findings {
  count = 0;
  readonly first: ChainProblem[] = [];

  add(problem: ChainProblem): void {
    this.count++;
    if (this.first.length < PROBLEMS_SHOWN) this.first.push(problem);
  }
}

/** Rows of the task that no link seals: those written before the first sealed one are only counted, later ones are findings. */
function unlinked(store: Store, taskId: string | null, end: ChainHead | null, findings: Findings): number {
  const range = end === null ? [0, 0] : [end.chain * CHAIN_ROOM, (end.chain + 1) * CHAIN_ROOM];
  let before = 0;
  for (const [table, column] of [
    ["events", "event_id"],
    ["telemetry_events", "telemetry_id"],
  ] as const) {
    const [low, high] = range as [number, number];
    const sealed = `select ${column} from audit_links where id > ?2 and id < ?3 and ${column} is not null`;
    const first = store.db
      .query<{ at: number | null }, [number, number]>(
        `select min(t.rowid) as at from ${table} t where t.id in (select ${column} from audit_links where id > ?1 and id < ?2 and
          ${column} is not null)`,
      )
      .get(low, high)!.at;
    const loose = rows<{ id: number | string; at: number }>(
      store,
      `select id, rowid as at from ${table} where task_id is ?1 and id not in (${sealed})`,
      taskId,
      low,
      high,
    );
    for (const { id, at } of loose) {
      if (first === null || at < first) before++;
      else
        findings.add({
          kind: "unlinked",
          table,
          id,
          message: `${table} ${id} was not written by this program, or its seal was taken away`,
        });
    }
  }
  return before;
}

/**
 * Compares every sealed row of the task with its seal.
 * @param known an end of the chain that was noted earlier, in an export for instance; it must still be part of it
 */
export function verifyChain(store: Store, taskId: string | null, known?: string): ChainReport {
  const findings = new Findings();
  const end = chainHead(store, taskId);
  let [last, seq, seen] = [CHAIN_START, 0, false];
  if (end !== null) {
    for (const link of chainLinks(store, end)) {
      if (link.seq !== ++seq) {
        findings.add({ kind: "broken", table: null, id: null, message: `links ${seq} to ${link.seq - 1} of the chain are missing` });
        seq = link.seq;
      }
      const row = linkedRow(store, link);
      if (row === null)
        findings.add({ kind: "missing", table: link.table, id: link.id, message: `${link.table} ${link.id} was sealed and is gone` });
      else if (linkHash(last, rowHash(link.table, row)) !== link.hash) {
        findings.add({ kind: "changed", table: link.table, id: link.id, message: `${link.table} ${link.id} is not what was sealed` });
      }
      last = link.hash;
      seen ||= last === known;
    }
    if (end.count !== seq || end.head !== last)
      findings.add({ kind: "head", table: null, id: null, message: `the chain ends at link ${seq}, but ${end.count} were written` });
  }
  if (known !== undefined && !seen)
    findings.add({ kind: "head", table: null, id: null, message: `the end ${known} that was noted is no part of the chain` });
  const before = unlinked(store, taskId, end, findings);
  return {
    ok: findings.count === 0,
    head: last === CHAIN_START ? null : last,
    links: seq,
    rows_before_chain: before,
    problem_count: findings.count,
    problems: findings.first,
  };
}
