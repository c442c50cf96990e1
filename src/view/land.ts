/** A landing for a person. */
import type { LandResult } from "../core/landing.ts";

const short = (commit: string | null): string => commit?.slice(0, 10) ?? "nothing";

/** What has landed, or would, and what it was proven by. */
export function landText(result: LandResult): string {
  const { branch, into, before, after, proofs } = result;
  if (before === after) return `Nothing to land: ${into} has all of ${branch}.`;
  const again = result.restarted ? `, begun once more since ${into} moved` : "";
  const proven = proofs.map(({ criterion_id, command }) => `  criterion ${criterion_id}: ${command.join(" ")}`);
  return [
    `${result.dry_run ? "Would land" : "Landed"} ${branch} on ${into}: ${short(before)} -> ${short(after)}${again}.`,
    proven.length === 0 ? "Nothing was proven on the merge: no criterion has a proof by a machine." : "Proven on the merge:",
    ...proven,
    ...(result.finished ? [`Task ${JSON.stringify(result.task)} is done.`] : []),
  ].join("\n");
}
