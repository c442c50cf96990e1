/** A world with the real Claude Code in it: a private home whose model is a script on loopback, a git project, a tmux server. */
import { describe, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { isObject, type Json, type JsonObject } from "../src/core/json.ts";
import type { ScriptedModel } from "../src/core/agent/scripted-model.ts";
import { environmentOf, listProcesses } from "../src/system/processes/processes.ts";
import { ClaudeModel } from "./claude-model.ts";
import { strike, until, World } from "./harness.ts";
import { tmux } from "./panes.ts";
import { type MessagesScript, scriptedMessages } from "../src/system/claude/messages-api.ts";

const VERSION = "2.1.332";
const PACKAGES = join(import.meta.dir, `claude-${VERSION}`, "node_modules", "@anthropic-ai");

/** The folder with the program `claude` that scripts/setup-ci fetched; null when it could not. The package's own is a link made by its install script. */
export const program: string | null =
  (existsSync(PACKAGES) ? readdirSync(PACKAGES) : [])
    .map((name) => join(PACKAGES, name))
    .find((folder) => existsSync(join(folder, "claude"))) ?? null;

/** Tests with the real Claude Code: left out, and said so, where it could not be fetched. */
export function describeClaude(label: string, tests: () => void): void {
  if (program !== null) return describe(label, tests);
  const why = `SKIPPED, Claude Code ${VERSION} is not here: scripts/setup-ci could not fetch it, or was not run`;
  console.error(`${label}: ${why}`);
  test.skip(`${label}: ${why}`, () => {});
}

/** Claude asks about a key that its settings do not know by these last characters. */
const KEY = "sk-ant-api03-of-no-account-0123456789-abcdefghij";
const TOKEN = "sk-ant-oat01-of-no-account";

/** The object in this text, in a list; none while it is half written. */
function parsed(text: string): JsonObject[] {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? [value] : [];
  } catch {
    return [];
  }
}

export interface Live extends JsonObject {
  readonly pid: number;
  readonly sessionId: string;
  readonly status: string;
}

export class ClaudeWorld extends World {
  readonly project = join(this.dir, "project");
  readonly claudeHome = join(this.dir, "claude");
  protected readonly server: ScriptedModel;

  /**
   * @param options.trusted false: it asks whether to trust the project; @param options.keyApproved false: whether to use the key
   * @param options.subscribed it has the token of a subscription, which knows limits, in place of a key
   */
  constructor(
    script: MessagesScript = new ClaudeModel().messages,
    options: { trusted?: boolean; keyApproved?: boolean; subscribed?: boolean } = {},
  ) {
    super();
    if (program === null) throw new Error("no Claude Code is here: run scripts/setup-ci");
    this.realTime = true;
    this.server = scriptedMessages(script);
    for (const folder of [this.project, this.claudeHome, join(this.dir, "tmp")]) mkdirSync(folder);
    Bun.spawnSync(["git", "init", "-q", this.project]);
    Object.assign(this.env, {
      PATH: `${program}:${this.env.PATH}`,
      CLAUDE_CONFIG_DIR: this.claudeHome,
      // Its inboxes lie there too.
      CLAUDE_CODE_TMPDIR: join(this.dir, "tmp"),
      ANTHROPIC_BASE_URL: this.server.url,
      ...(options.subscribed === true ? { CLAUDE_CODE_OAUTH_TOKEN: TOKEN } : { ANTHROPIC_API_KEY: KEY }),
      CLAUDE_CODE_MAX_RETRIES: "0",
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      DISABLE_TELEMETRY: "1",
      DISABLE_AUTOUPDATER: "1",
      // Else root may not start it without permissions.
      IS_SANDBOX: "1",
    });
    const state = {
      hasCompletedOnboarding: true,
      customApiKeyResponses: { approved: options.keyApproved === false ? [] : [KEY.slice(-20)] },
      projects: options.trusted === false ? {} : { [this.project]: { hasTrustDialogAccepted: true } },
    };
    writeFileSync(join(this.claudeHome, ".claude.json"), JSON.stringify(state));
  }

  /** Starts Claude in a terminal of this name, as a person would. */
  claude(session: string, ...words: string[]): void {
    tmux(this, "new-session", "-d", "-s", session, "-x", "120", "-y", "40", "-c", this.project, "claude", ...words);
  }

  /** The sessions that say of themselves that they live. */
  live(): Live[] {
    const folder = join(this.claudeHome, "sessions");
    const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".json")) : [];
    return names.flatMap((name) => parsed(readFileSync(join(folder, name), "utf8")) as Live[]);
  }

  /** What the session in the terminal of this name says of itself, once its status is this one. */
  status(session: string, status: string): Promise<Live> {
    const isOurs = ({ tmux: where }: Live) => typeof where === "string" && where.startsWith(`${session}:`);
    return until(`${session} to be ${status}`, () => this.live().find((each) => isOurs(each) && each.status === status), 30);
  }

  /** The transcripts below this home, by session id. Those of sub-agents lie one folder deeper. */
  transcripts(): Map<string, string> {
    const projects = join(this.claudeHome, "projects");
    const folders = existsSync(projects) ? readdirSync(projects).map((name) => join(projects, name)) : [];
    const paths = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
    return new Map(paths.filter((path) => path.endsWith(".jsonl")).map((path) => [basename(path, ".jsonl"), path]));
  }

  /** The lines of a session's transcript; none before its first prompt. */
  lines(sessionId: string): JsonObject[] {
    const path = this.transcripts().get(sessionId);
    return path === undefined ? [] : readFileSync(path, "utf8").split("\n").flatMap(parsed);
  }

  /** Waits until the transcript has this many lines of which these things are so, and gives the last. */
  line(sessionId: string, wanted: Readonly<Record<string, Json>>, count = 1): Promise<JsonObject> {
    const fits = (line: JsonObject) => Object.entries(wanted).every(([key, value]) => line[key] === value);
    const what = `${count} lines with ${JSON.stringify(wanted)} in ${sessionId}`;
    return until(what, () => {
      const found = this.lines(sessionId).filter(fits);
      return found.length >= count && found.at(-1)!;
    });
  }

  /** The living processes of this Claude home. */
  protected async processes(): Promise<number[]> {
    const all = (await listProcesses(this.env)) ?? [];
    return all.map(({ pid }) => pid).filter((pid) => environmentOf(pid, "CLAUDE_CONFIG_DIR") === this.claudeHome);
  }

  /** Ends the tmux server, every process that lives in this Claude home, and the model. */
  override async close(): Promise<void> {
    strike(...(await this.processes()));
    await this.server.stop();
    super.close();
  }
}
