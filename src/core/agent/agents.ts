/**
 * The agents that this version knows, and which of them is meant. With its two other halves the only file that imports from their folders.
 */
import { claude } from "../claude/claude.ts";
import { codex } from "../codex/codex.ts";
import { Failure } from "../failure.ts";
import { DEFAULT_AGENT } from "../sessions/session.ts";
import type { Agent, ModelChoice } from "./agent.ts";

/** By key. */
export const agents = { codex, claude } as const satisfies Readonly<Record<string, Agent>>;
export type AgentKey = keyof typeof agents;

export const agentKeys = Object.keys(agents) as AgentKey[];
export const allAgents: readonly Agent[] = Object.values(agents);

/** The variable that chooses when no flag does. */
export const CHOICE_VARIABLE = "CONVEYOR_AGENT";

const isKey = (name: string): name is AgentKey => Object.hasOwn(agents, name);

/** @param exit as of words on the command line for what a user has set. @throws Failure saying that this version does not know it */
function agentNamed(name: string, where: string, exit: 1 | 2): Agent {
  if (isKey(name)) return agents[name];
  throw new Failure(`${where} names the agent ${JSON.stringify(name)}, which this version does not know yet`, {
    hint: `it knows ${agentKeys.join(", ")}: conveyor agents`,
    exit,
  });
}

/**
 * The agent for a session that is yet to be started: the one given, else the one that CONVEYOR_AGENT names, else Codex.
 * @throws Failure when this version does not know it
 */
export const chosenAgent = (env: Readonly<Record<string, string | undefined>>, given?: AgentKey): Agent =>
  given === undefined ? agentNamed(env[CHOICE_VARIABLE] || DEFAULT_AGENT, CHOICE_VARIABLE, 2) : agents[given];

/** The agent that a session on record runs. @throws Failure when a newer version wrote that record */
export const agentOf = (session: { readonly name: string; readonly agent: string }): Agent =>
  agentNamed(session.agent, `the record of ${JSON.stringify(session.name)}`, 1);

/**
 * The agent whose transcript lies at this path: asked where no session on record says it, while one is being registered and of what was
 * sent to one that has another transcript now. A path of no known form is taken for the first one's.
 * @param among those that may be meant: at least one
 */
export const agentOfPath = (path: string, among: readonly Agent[] = allAgents): Agent =>
  among.find((agent) => agent.transcript.isPath(path)) ?? among[0]!;

/** Names of models as they are written: no flag, no blank, nothing that could end a word. */
const MODEL = /^[A-Za-z0-9][A-Za-z0-9._:/@+-]*$/;

/**
 * Refuses before anything is started what the agent cannot take.
 * @throws Failure saying what it can take
 */
export function checkModelChoice(agent: Agent, { model, effort }: ModelChoice): void {
  if (model !== null && !MODEL.test(model))
    throw new Failure(`${JSON.stringify(model)} is no name of a model`, { hint: "letters, digits and . _ : / @ + - make one" });
  if (effort !== null && !agent.efforts.includes(effort))
    throw new Failure(`${agent.label} knows no effort ${JSON.stringify(effort)}`, { hint: `--effort takes ${agent.efforts.join(", ")}` });
}
