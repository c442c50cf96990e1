/** The agents of this machine as a table. */
import type { AgentReport } from "../core/agent/installed.ts";
import { table } from "./table.ts";

const HEADS = ["agent", "version", "tested", "in range", "path", "notes"];

const cells = ({ agent, version, tested, in_range, path, notes }: AgentReport): string[] => [
  agent,
  version ?? "-",
  `${tested.from} to ${tested.to}`,
  in_range === null ? "-" : in_range ? "yes" : "no",
  path ?? "-",
  notes.join("; ") || "-",
];

/** What can be done with its sessions, and what cannot. */
function ableLine({ agent, capabilities }: AgentReport): string {
  const all = Object.entries(capabilities);
  const those = (able: boolean): string => all.flatMap(([name, has]) => (has === able ? [name] : [])).join(", ");
  return `${agent}: ${those(true) || "nothing"}${those(false) === "" ? "" : `; not ${those(false)}`}`;
}

/** A line of heads, one line for each, then what can be done with each that is there. */
export function agentTable(reports: readonly AgentReport[]): string {
  const rows = table([HEADS, ...reports.map(cells)]);
  return [...rows, ...reports.filter(({ path }) => path !== null).map(ableLine)].join("\n");
}
