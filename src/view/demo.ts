/** The demonstration for a person who watches. */
import type { DemoResult } from "../core/qa/demo.ts";

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)}s`.padStart(6);

/** One thing that happens: when, who, what, on one line. */
export const demoLine = (who: string, what: string, ms: number): string =>
  `${seconds(ms)}  ${who.padEnd(8)}  ${what.replace(/\s+/g, " ").slice(0, 160)}`;

const ways = ({ launch }: DemoResult): string =>
  launch === null ? "" : `; the worker was started by ${launch.worker}, the manager by ${launch.manager}`;

/** What they call themselves, each once. */
const programs = ({ agents: { worker, manager } }: DemoResult): string =>
  [...new Set([worker, manager].map(({ agent, version }) => version ?? agent))].join(" and ");

/** What happened, how long each step took, and where the records lie. */
export function demoSummary(result: DemoResult): string {
  if (result.interrupted)
    return `Interrupted after ${result.seconds} s, at: ${result.failed?.step ?? "the end"}; nothing of it runs or is left.`;
  const steps = result.steps.map((step) => `${seconds(step.ms)}  ${step.name}`);
  const records =
    result.folder === null
      ? ["The records were removed with their folder; --keep keeps them."]
      : [
          `Records: ${result.database ?? result.folder}`,
          ...result.rollouts.map((path) => `Transcript: ${path}`),
          `All of it: ${result.folder}`,
        ];
  const failed =
    result.failed === null
      ? []
      : [
          `Failed: ${result.failed.step}`,
          result.failed.reason,
          ...(result.failed.screen === null
            ? []
            : ["The screen of its pane:", ...result.failed.screen.split("\n").map((line) => `  | ${line}`)]),
        ];
  const crew = (result.crew ?? []).map(({ task, agent, landed, refused }) =>
    landed ? `${task} (${agent}) landed.` : `${task} (${agent}) did not land: ${refused?.split("\n")[0] ?? "it never came to that"}`,
  );
  return [
    "How long each step took:",
    ...steps,
    ...crew,
    ...failed,
    `${result.ok ? "Done" : "Not done"} in ${result.seconds} s with ${programs(result)}${ways(result)}.`,
    ...records,
  ].join("\n");
}
