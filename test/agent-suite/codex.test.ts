/** The suite of what every agent must do, run for the real Codex. */
import { CodexWorld, PlainModel } from "../codex-world.ts";
import { agents } from "../../src/core/agent/agents.ts";
import type { ModelItem, ModelRequest } from "../../src/system/scripted-model.ts";
import { agentSuite } from "./suite.ts";
import type { AgentWorld, HeldModel } from "./world.ts";

/** Answers `ask CMD` by wanting to run it outside the sandbox, which needs an approval. */
const askOr = async (model: PlainModel, request: ModelRequest): Promise<ModelItem[]> => {
  const asked = /^ask (.*)$/.exec(request.userTexts.at(-1) ?? "")?.[1];
  return asked !== undefined && request.toolOutput === null ? [{ run: asked, escalate: "to see what happens" }] : model.script(request);
};

class CodexSuiteWorld extends CodexWorld implements AgentWorld {
  readonly agent = agents.codex;
  readonly asking = ["--sandbox", "read-only", "--ask-for-approval", "on-request"];
  readonly compacted = /"type":"(compacted|context_compacted)"/;
  readonly model: HeldModel;
  constructor() {
    const model = new PlainModel();
    super((request) => askOr(model, request));
    this.model = model;
  }
}

agentSuite("Codex", () => new CodexSuiteWorld());
