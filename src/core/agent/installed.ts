/** What is told of an agent on this machine. */
import type { Agent, AgentFeatures, Capabilities } from "./agent.ts";
import { placeInRange, versionDoubt, type VersionRange } from "./version.ts";

export interface AgentReport {
  readonly agent: string;
  readonly program: string;
  /** null: it is not on PATH. */
  readonly path: string | null;
  readonly version: string | null;
  readonly tested: VersionRange;
  /** null: its version is not known. */
  readonly in_range: boolean | null;
  readonly capabilities: Capabilities;
  readonly notes: readonly string[];
}

/** What an agent that is not there is judged by: nothing was asked of it. */
const unknown: AgentFeatures = { version: null, noDaemon: false, lateRollout: false, queue: false, served: false, sessionId: false };

/** @param found what the installed program answered; null: it is not on PATH */
export function agentReport(agent: Agent, found: { readonly path: string; readonly features: AgentFeatures } | null): AgentReport {
  const version = found?.features.version ?? null;
  const place = placeInRange(version, agent.tested);
  const note = found === null ? `not on PATH: ${agent.install}` : versionDoubt(version, agent.tested);
  return {
    agent: agent.key,
    program: agent.program,
    path: found?.path ?? null,
    version,
    tested: agent.tested,
    in_range: place === null ? null : place === "inside",
    capabilities: agent.capabilities(found?.features ?? unknown),
    notes: note === null ? [] : [note],
  };
}

/** The same in one line, with what is to be said against it at its end. */
export function agentLine({ agent, path, version, tested, notes }: AgentReport): string {
  const found = path === null ? [] : [`${version ?? "of unknown version"} at ${path}`, `tested ${tested.from} to ${tested.to}`];
  return `${agent}: ${[...found, ...notes].join("; ")}`;
}
