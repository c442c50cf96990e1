/** A world with the real Codex in it: a private home whose model is a script on loopback, a git project, a tmux server. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type AgentFact, readFact } from "../src/core/agent/record.ts";
import { codex } from "../src/core/codex/codex.ts";
import { LAUNCH_VARIABLE, type LaunchWish } from "../src/flow/sessions/way-of-launch.ts";
import { parseRecord } from "../src/core/codex/rollout.ts";
import type { ModelItem, ModelRequest, ModelScript, ScriptedModel } from "../src/core/agent/scripted-model.ts";
import { scriptedResponses } from "../src/system/codex/responses-api.ts";
import { commandLineOf, environmentOf, listProcesses } from "../src/system/processes/processes.ts";
import { strike, until, World } from "./harness.ts";

/** Answers `run CMD` with that command, `hold NAME` by waiting until it is released, anything else with `ok`. */
export class PlainModel {
  private readonly held = new Map<string, () => void>();
  readonly requests: ModelRequest[] = [];

  readonly script: ModelScript = async (request): Promise<ModelItem[]> => {
    this.requests.push(request);
    if (request.toolOutput !== null) return [{ say: "ran it" }];
    const words = request.userTexts.at(-1) ?? "";
    const hold = /^hold (\S+)/.exec(words)?.[1];
    if (hold !== undefined) {
      await new Promise<void>((resolve) => {
        this.held.set(hold, resolve);
        request.signal.addEventListener("abort", () => resolve());
      });
    }
    const run = /^run (.*)$/m.exec(words)?.[1];
    return run === undefined ? [{ say: "ok" }] : [{ run }];
  };

  /** Whether the model is asked the thing it waits at. */
  isHolding = (name: string): boolean => this.held.has(name);

  release(name: string): void {
    this.held.get(name)?.();
    this.held.delete(name);
  }
}

export class CodexWorld extends World {
  readonly project = join(this.dir, "project");
  readonly codexHome = this.env.CODEX_HOME!;
  protected readonly server: ScriptedModel;

  /** @param options.launch how its sessions are started where no flag says so; else as everybody's are */
  constructor(script: ModelScript = new PlainModel().script, options: { trusted?: boolean; launch?: LaunchWish } = {}) {
    super();
    if (options.launch !== undefined) this.env[LAUNCH_VARIABLE] = options.launch;
    this.realTime = true;
    this.server = scriptedResponses(script);
    mkdirSync(this.project);
    Bun.spawnSync(["git", "init", "-q", this.project]);
    const trustedFolders = options.trusted === false ? [] : [this.project];
    for (const { file, text } of codex.scripted({ home: this.codexHome, modelUrl: this.server.url, trustedFolders }).files)
      writeFileSync(join(this.codexHome, file), text);
  }

  /** The facts of every rollout below this Codex home, by thread id. */
  rollouts(): Map<string, AgentFact[]> {
    const found = new Map<string, AgentFact[]>();
    const sessions = join(this.codexHome, "sessions");
    for (const name of existsSync(sessions) ? (readdirSync(sessions, { recursive: true }) as string[]) : []) {
      const thread = /rollout-.*-([0-9a-f-]{36})\.jsonl$/.exec(name)?.[1];
      if (thread === undefined) continue;
      const lines = readFileSync(join(this.codexHome, "sessions", name), "utf8").split("\n");
      found.set(thread, lines.flatMap((line) => parseRecord(line) ?? []).map(readFact));
    }
    return found;
  }

  /** What the user said in a thread, in order. */
  userTexts(threadId: string): string[] {
    return (this.rollouts().get(threadId) ?? []).flatMap((fact) => (fact.kind === "user" ? [fact.text] : []));
  }

  /** The same, once there are `count` of them: a rollout is written a moment after it is opened. */
  async saidTo(threadId: string, count = 1): Promise<string[]> {
    await until(`${count} user texts in ${threadId}`, () => this.userTexts(threadId).length >= count);
    return this.userTexts(threadId);
  }

  /** Waits until the thread has ended this many turns. */
  async turns(threadId: string, count: number): Promise<void> {
    await until(
      `${count} turns of ${threadId}`,
      () =>
        (this.rollouts().get(threadId) ?? []).filter((fact) => fact.kind === "turn_completed" || fact.kind === "turn_aborted").length >=
        count,
      30,
    );
  }

  /** Waits until an agent of this world runs exactly this command. */
  async runs(command: string): Promise<void> {
    await until(`its command ${command}`, async () => {
      const own = ((await listProcesses(this.env)) ?? []).filter(({ pid }) => environmentOf(pid, "CODEX_HOME") === this.codexHome);
      const words = await Promise.all(own.map(({ pid }) => commandLineOf(pid, this.env)));
      return words.some((each) => each?.join(" ") === command);
    });
  }

  /** Waits until no turn of the thread is open. */
  async idle(threadId: string): Promise<void> {
    const isTurn = (fact: AgentFact) => fact.kind === "turn_started" || fact.kind === "turn_completed" || fact.kind === "turn_aborted";
    await until(`the end of the turn of ${threadId}`, () => this.rollouts().get(threadId)?.findLast(isTurn)?.kind !== "turn_started", 30);
  }

  /** Ends the tmux server, every process that lives in this Codex home (a daemon too), and the model. */
  override async close(): Promise<void> {
    const ours = (await listProcesses(this.env))?.filter(({ pid }) => environmentOf(pid, "CODEX_HOME") === this.codexHome) ?? [];
    strike(...ours.map(({ pid }) => pid));
    await this.server.stop();
    super.close();
  }
}
