/** Whether living sessions run what is installed now, as the records of their starts tell. */
import type { Context } from "../../context.ts";
import { agentOf } from "../../core/agent/agents.ts";
import { Failure } from "../../core/failure.ts";
import { type RecordedStart, recordedStarts } from "../../store/sessions/agents.ts";
import type { Store } from "../../store/store.ts";
import { installedAgent } from "../../system/agent/cli.ts";
import { homeOfAgent } from "../../system/agent/agents.ts";
import { isFolder } from "../../system/files/folders.ts";
import { which } from "../../system/processes/environment.ts";
import { alive } from "../../system/processes/processes.ts";

export interface StartReport {
  readonly session: string;
  readonly agent: string;
  readonly launch: string;
  /** As recorded. */
  readonly version: string | null;
  readonly program: string | null;
  readonly home: string;
  /** What is not as it was then, in one line; null: nothing. */
  readonly warning: string | null;
}

/** One for each living session that we started. */
export function startReports(cx: Context, store: Store): Promise<StartReport[]> {
  const living = recordedStarts(store).filter(({ pid }) => pid !== null && alive(pid));
  return Promise.all(
    living.map(async (start) => {
      const { name: session, agent, launch, version, home } = start;
      const program = (JSON.parse(start.argv_json) as string[])[0] ?? null;
      const doubts = await doubtsOf(cx, start, program);
      return { session, agent, launch, version, program, home, warning: doubts.length === 0 ? null : `${session}: ${doubts.join("; ")}` };
    }),
  );
}

async function doubtsOf(cx: Context, start: RecordedStart, program: string | null): Promise<string[]> {
  const { version, home } = start;
  const gone = isFolder(home) ? [] : [`its home folder ${home} is gone`];
  let agent;
  try {
    agent = agentOf(start);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [error.message, ...gone];
  }
  const here = homeOfAgent(agent, cx.env);
  const elsewhere = here === home || gone.length > 0 ? [] : [`its home folder is ${home}, here it is ${here}`];
  if (which(agent.program, cx.env) === null) return [`${agent.program} is not on PATH any more`, ...elsewhere, ...gone];
  const { path, features } = await installedAgent(agent, cx.env);
  return [
    ...(program === null || program === path ? [] : [`it was started with ${program}, on PATH is ${path} now`]),
    ...(version === null || version === features.version
      ? []
      : [`it was started as ${agent.label} ${version}, installed is ${features.version ?? "one that does not tell its version"} now`]),
    ...elsewhere,
    ...gone,
  ];
}
