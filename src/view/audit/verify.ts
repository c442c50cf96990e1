/** What verifying found, as text. */
import type { ChainReport } from "../../core/chain.ts";

const problemLine = ({ kind, message }: { kind: string; message: string }): string => `${kind}: ${message}`;

const more = (shown: number, count: number): string[] => (count > shown ? [`… and ${count - shown} more`] : []);

/** Of the rows in the database. */
export const chainLines = (name: string, report: ChainReport): string[] => [
  `${name}\t${report.ok ? "ok" : "not ok"}\tsealed=${report.links}\tbefore_chain=${report.rows_before_chain}\thead=${report.head ?? "-"}`,
  ...report.problems.map(problemLine),
  ...more(report.problems.length, report.problem_count),
];

interface ExportFacts {
  readonly ok: boolean;
  readonly task: { readonly name: string };
  readonly files: number;
  readonly chain: { readonly head: string | null };
  readonly rows_checked: number;
  readonly rows_masked: number;
  readonly rows_unsealed: number;
  readonly unlisted: readonly string[];
  readonly problem_count: number;
  readonly problems: readonly { readonly kind: string; readonly message: string }[];
}

/** Of an export. */
export const exportLines = (report: ExportFacts): string[] => [
  [
    report.task.name,
    report.ok ? "ok" : "not ok",
    `files=${report.files}`,
    `rows=${report.rows_checked}`,
    `masked=${report.rows_masked}`,
    `unsealed=${report.rows_unsealed}`,
    `head=${report.chain.head ?? "-"}`,
  ].join("\t"),
  ...report.problems.map(problemLine),
  ...more(report.problems.length, report.problem_count),
  ...report.unlisted.map((name) => `not part of the export: ${name}`),
];
