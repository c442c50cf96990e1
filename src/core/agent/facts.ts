/** What one line of a transcript says, where it is read alone. */
import type { Agent } from "./agent.ts";
import { type AgentFact, readFact } from "./record.ts";

/** Empty for a line that is no record. @param memory of the lines before it, where they were read */
export const factsOf = ({ transcript }: Agent, line: string, memory = transcript.remember([])): AgentFact[] =>
  (transcript.translate(line, memory) ?? []).map(readFact);
