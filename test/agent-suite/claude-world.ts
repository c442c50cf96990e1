/** A world of the suite with the real Claude Code. */
import { readFileSync } from "node:fs";
import { type AgentFact, readFact } from "../../src/core/agent/record.ts";
import { agents } from "../../src/core/agent/agents.ts";
import { ClaudeModel } from "../claude-model.ts";
import { ClaudeWorld } from "../claude-world.ts";
import { until } from "../harness.ts";
import type { AgentWorld } from "./world.ts";

const isTurn = (fact: AgentFact): boolean => fact.kind === "turn_started" || fact.kind === "turn_completed" || fact.kind === "turn_aborted";

export class ClaudeSuiteWorld extends ClaudeWorld implements AgentWorld {
  readonly agent = agents.claude;
  readonly launch = "tmux";
  readonly launchWhy = "Claude Code 2.1.332 cannot be spoken to by protocol";
  readonly asking = ["--permission-mode", "manual"];
  readonly compacted = /"subtype":"compact_boundary"/;
  // It is known by the id that we choose, before anybody has said a word.
  readonly standsBy = false;
  readonly ways = { message: "tmux", pastDraft: "claude_inbox", command: "tmux" };
  readonly waitsInWords = "waits in the queue";
  // Above it moves a picture, and stands what waits.
  readonly question = /^ Bash command$.*/ms;
  // A key that interrupts would be an answer.
  readonly decline = "answer w1 no";
  readonly failures = {
    "429": "overloaded",
    "529": "overloaded",
    "503": "overloaded",
    "500": "server_error",
    context: "context_full",
    "401": "auth",
    cut: "disconnected",
    "400": "other",
    "404": "other",
    limit: "usage_limit",
  } as const;

  constructor(readonly model = new ClaudeModel()) {
    super(model.messages, { subscribed: true });
    this.env.CONVEYOR_AGENT = this.agent.key;
  }

  rollouts(): Map<string, AgentFact[]> {
    const { transcript } = this.agent;
    return new Map(
      [...this.transcripts()].map(([id, path]) => {
        const memory = transcript.remember([]);
        const records = readFileSync(path, "utf8")
          .split("\n")
          .flatMap((line) => transcript.translate(line, memory) ?? []);
        return [id, records.map(readFact)];
      }),
    );
  }

  userTexts(sessionId: string): string[] {
    return (this.rollouts().get(sessionId) ?? []).flatMap((fact) => (fact.kind === "user" ? [fact.text] : []));
  }

  /** Before its first prompt there is no transcript. */
  async idle(sessionId: string): Promise<void> {
    const isIdle = () => this.live().some((each) => each.sessionId === sessionId && each.status === "idle");
    const isOpen = () => this.rollouts().get(sessionId)?.findLast(isTurn)?.kind === "turn_started";
    await until(`the end of the turn of ${sessionId}`, () => isIdle() && !isOpen(), 30);
  }

  failFrom(resetsAt: number): void {
    this.model.resetsAt = resetsAt;
  }
}
