/** What this machine has of what the tool needs. Looks only; creates nothing. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Context } from "../../context.ts";
import { agents, chosenAgent } from "../../core/agent/agents.ts";
import { agentLine } from "../../core/agent/installed.ts";
import { versionDoubt } from "../../core/agent/version.ts";
import { Failure } from "../../core/failure.ts";
import type { JsonObject } from "../../core/json.ts";
import { type UnknownRecord, unknownRecords } from "../../store/observe/unknown-records.ts";
import { type LeftWorktree, leftWorktrees } from "../worktrees/left.ts";
import { recordsFor } from "../../system/records-place.ts";
import { type StartReport, startReports } from "./recorded-starts.ts";
import { agentReports, installedAgent } from "../../system/agent/cli.ts";
import { which } from "../../system/processes/environment.ts";
import { homeOfAgent, machineOf } from "../../system/agent/agents.ts";
import { folderNames, readCompatJson, workerFolder } from "../../system/compat-worker.ts";
import { isFolder } from "../../system/files/folders.ts";
import { programRoot } from "../../system/processes/self.ts";
import { tmuxVersion } from "../../system/terminal/tmux.ts";

const { codex } = agents;

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly [fact: string]: unknown;
}

/** A missing state root is the usual thing before the first command. */
const MAY_FAIL = new Set(["state_root_exists"]);

/** What the installed Codex can do; null when it is not there. */
async function codexFacts(cx: Context): Promise<{ version_text: string | null; facts: Record<string, unknown> } | null> {
  if (which(codex.program, cx.env) === null) return null;
  const { path, versionText, features } = await installedAgent(codex, cx.env);
  const home = homeOfAgent(codex, cx.env);
  const { daemonRunning, writerLocks } = machineOf(codex).homeFacts(home);
  return {
    version_text: versionText,
    facts: {
      path,
      version: features.version,
      tested: codex.tested,
      in_range: versionDoubt(features.version, codex.tested) === null,
      warning: versionDoubt(features.version, codex.tested),
      home,
      features: {
        shared_daemon: features.noDaemon,
        daemon_running: daemonRunning,
        thread_queue: features.queue,
        writer_locks: writerLocks,
        rollout_at_first_turn: features.lateRollout,
      },
    },
  };
}

/** The folders below the state root, and a check when it cannot be read. */
function foldersOf(root: string): { names: readonly string[]; checks: Check[] } {
  try {
    return { names: folderNames(root), checks: [] };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { names: [], checks: [{ name: "state_root_readable", ok: false, path: root, error: error.message }] };
  }
}

/** The workers of the oldest form, of those folders; one whose files are broken is reported, not fatal. */
function compatWorkers(root: string, folders: readonly string[]): Record<string, unknown>[] {
  return folders
    .filter((name) => existsSync(join(workerFolder(root, name), "config.json")))
    .map((name) => {
      const worker = { name, config_path: join(workerFolder(root, name), "config.json") };
      try {
        return { ...worker, status: readCompatJson(root, name, "status.json") satisfies JsonObject | null };
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        return { ...worker, status: null, status_error: error.message };
      }
    });
}

/**
 * Kinds of rollout records that no rule knows, the starts of living sessions, worktrees that nobody works in, and whether the database
 * could be asked; [] without a database, which is not made for this.
 * One that cannot be opened is reported, not fatal.
 */
async function strangers(cx: Context, root: string) {
  const path = join(root, "workerctl.db");
  const none = { found: [] as UnknownRecord[], starts: [] as StartReport[], trees: [] as LeftWorktree[] };
  if (!existsSync(path)) return { ...none, checks: [] as Check[] };
  try {
    const store = cx.store(path);
    const [starts, trees] = [await startReports(cx, store), await leftWorktrees(cx, store)];
    return { found: unknownRecords(store), starts, trees, checks: [{ name: "database", ok: true, path }] };
  } catch (error) {
    const failure = error instanceof Failure ? error : cx.databaseFailure(error);
    if (!failure) throw error;
    return { ...none, checks: [{ name: "database", ok: false, path, error: failure.message, hint: failure.hint ?? null }] };
  }
}

export interface Report {
  readonly ok: boolean;
  readonly checks: readonly Check[];
  readonly [fact: string]: unknown;
}

/** @param given folder of the work, instead of the current one */
export async function doctor(cx: Context, given: string | undefined): Promise<Report> {
  const cwd = given === undefined ? cx.cwd : cx.path(given);
  const root = cx.env.WORKERCTL_STATE_ROOT ? cx.stateRoot : recordsFor(cwd);
  const tmux = which("tmux", cx.env);
  const found = await codexFacts(cx);
  const reports = await agentReports(cx.env);
  // What nobody starts unless they say so need not be there.
  const chosen = chosenAgent(cx.env);
  const program = which(chosen.program, cx.env);
  const version = tmux === null ? null : await tmuxVersion(cx.env);
  const records = await strangers(cx, root);
  const folders = foldersOf(root);
  const checks: Check[] = [
    { name: "tmux", ok: tmux !== null, path: tmux },
    { name: "codex", ok: found !== null, path: which(codex.program, cx.env) },
    ...(chosen === codex ? [] : [{ name: chosen.key, ok: program !== null, path: program }]),
    ...(tmux === null ? [] : [{ name: "tmux_version", ok: version !== null, value: version }]),
    ...(found === null ? [] : [{ name: "codex_version", ok: found.version_text !== null, value: found.version_text }]),
    { name: "target_cwd_exists", ok: isFolder(cwd), path: cwd },
    { name: "state_root_exists", ok: isFolder(root), path: root },
    ...folders.checks,
    ...records.checks,
  ];
  return {
    ok: checks.every((check) => check.ok || MAY_FAIL.has(check.name) || (chosen !== codex && check.name.startsWith(codex.key))),
    checks,
    agents: reports.map(agentLine),
    codex: found?.facts ?? null,
    unknown_records: records.found,
    sessions: records.starts,
    worktrees_left: records.trees,
    project_root: programRoot(),
    workers: compatWorkers(root, folders.names),
  };
}
