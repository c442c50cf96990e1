/** The agents of this machine as a table. */
import type { AgentReport } from "../core/agent/installed.ts";

const HEADS = ["agent", "version", "tested", "in range", "path", "notes"];

const cells = ({ agent, version, tested, in_range, path, notes }: AgentReport): string[] => [
  agent,
  version ?? "-",
  `${tested.from} to ${tested.to}`,
  in_range === null ? "-" : in_range ? "yes" : "no",
  path ?? "-",
  notes.join("; ") || "-",
];

/** A line of heads, then one line for each. */
export function agentTable(reports: readonly AgentReport[]): string {
  const lines = [HEADS, ...reports.map(cells)];
  const widths = HEADS.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
