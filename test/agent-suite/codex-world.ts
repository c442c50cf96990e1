/** Worlds of the suite with a real Codex: the one that package.json pins, or the oldest that must work. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { agents } from "../../src/core/agent/agents.ts";
import type { ModelItem, ModelRequest } from "../../src/core/agent/scripted-model.ts";
import { CodexWorld, PlainModel } from "../codex-world.ts";
import { type FailingModel, failingModel } from "./codex-failures.ts";
import type { LaunchWish } from "../../src/flow/sessions/way-of-launch.ts";
import type { AgentWorld, HeldModel, Ways } from "./world.ts";

/** Answers `ask CMD` by wanting to run it outside the sandbox, which needs an approval. */
const askOr = async (model: PlainModel, request: ModelRequest): Promise<ModelItem[]> => {
  const asked = /^ask (.*)$/.exec(request.userTexts.at(-1) ?? "")?.[1];
  return asked !== undefined && request.toolOutput === null ? [{ run: asked, escalate: "to see what happens" }] : model.script(request);
};

export class CodexSuiteWorld extends CodexWorld implements AgentWorld {
  readonly agent = agents.codex;
  readonly asking = ["--sandbox", "read-only", "--ask-for-approval", "on-request"];
  readonly compacted = /"type":"(compacted|context_compacted)"/;
  readonly model: HeldModel;
  readonly launchWhy = null;
  readonly standsBy = true;
  readonly ways: Ways;
  readonly waitsInWords: string | null;
  readonly question = /^.*$/s;
  readonly decline = "session-interrupt w1";
  readonly failures = {
    "429": "overloaded",
    "503": "overloaded",
    "500": "server_error",
    context: "context_full",
    "401": "auth",
    cut: "disconnected",
    "400": "other",
    "404": "other",
    limit: "usage_limit",
  } as const;
  private failing: FailingModel | null = null;
  /** @param launch by protocol, as nobody has to say, or by its terminal */
  constructor(
    readonly launch: LaunchWish = "protocol",
    model = new PlainModel(),
  ) {
    super((request) => askOr(model, request), launch === "protocol" ? {} : { launch });
    this.model = model;
    const { served, queue } = this.agent;
    const spoken = launch === "protocol" ? served!.transport : "tmux";
    this.ways = { message: spoken, command: spoken, pastDraft: launch === "protocol" ? spoken : (queue?.transport ?? null) };
    this.waitsInWords = launch === "protocol" ? "waits until that is answered" : null;
  }

  failFrom(resetsAt: number): void {
    if (this.failing !== null) return void (this.failing.resetsAt = resetsAt);
    this.failing = failingModel(this.server.url, resetsAt);
    const config = join(this.codexHome, "config.toml");
    const provider = `base_url = "${this.failing.url}"\nrequest_max_retries = 0\nstream_max_retries = 0`;
    writeFileSync(config, readFileSync(config, "utf8").replace(/^base_url = .*$/m, provider));
  }

  override async close(): Promise<void> {
    await super.close();
    await this.failing?.stop();
  }
}

/** One whose person has asked not to be offered a smaller model at each limit. */
export class UnaskedWorld extends CodexSuiteWorld {
  constructor(launch?: LaunchWish) {
    super(launch);
    appendFileSync(join(this.codexHome, "config.toml"), "\n[notice]\nhide_rate_limit_model_nudge = true\n");
  }
}

const OLDEST = resolve(import.meta.dir, "..", `codex-${agents.codex.tested.from}`, "node_modules", ".bin");

/** The same with the oldest version that the tests know, which scripts/setup-ci fetches. */
export class OldestCodexWorld extends CodexSuiteWorld {
  constructor(launch?: LaunchWish) {
    super(launch);
    if (!existsSync(OLDEST)) throw new Error(`no Codex at ${OLDEST}: run scripts/setup-ci`);
    this.env.PATH = `${OLDEST}:${this.env.PATH}`;
  }
}
