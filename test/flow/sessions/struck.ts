/** Starts that a signal strikes, at a moment that tmux or the records tell, and what is there afterwards. */
import { chmodSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "bun:test";
import { agents } from "../../../src/core/agent/agents.ts";
import { environmentOf, executableOf, listProcesses } from "../../../src/system/processes/processes.ts";
import type { CodexWorld } from "../../codex-world.ts";
import type { World } from "../../harness.ts";

const CHILD = join(import.meta.dir, "struck-child.ts");

/** A pairing of w1 and m1 on t1. */
export const PAIR = (w: CodexWorld): string[] => [
  "pair",
  "--task",
  "t1",
  "--task-goal",
  "It works",
  "--task-prompt",
  "Do the work",
  "--worker-name",
  "w1",
  "--manager-name",
  "m1",
  "--cwd",
  w.project,
  "--timeout-seconds",
  "60",
];

/** Just before or just after tmux carries out the nth call with these words, or `instead`; tmux acts whatever becomes of its caller. */
interface TmuxMoment {
  readonly tmux: string;
  readonly nth: number;
  /** `held`: no signal comes, and there is no answer for a second. */
  readonly when: "before" | "after" | "instead" | "held";
  /** Another signal than the one of the others. */
  readonly signal?: NodeJS.Signals;
}

/** When the signal comes; `records`: as soon as they give a row. */
export type Moment = { readonly records: string } | TmuxMoment;

/** A `tmux` that strikes its caller. @param path where the next one is found */
async function strikingTmux(w: CodexWorld, signal: string, moment: TmuxMoment, path: string): Promise<string> {
  const real = Bun.which("tmux", { PATH: path })!;
  const bin = `striking-${crypto.randomUUID()}`;
  const calls = join(w.dir, bin, "call");
  const kill = `kill -${(moment.signal ?? signal).slice(3)} $PPID`;
  const acts = {
    before: [kill, `exec ${real} "$@"`],
    after: [`${real} "$@"; code=$?`, kill, "exit $code"],
    instead: [kill, "exit 1"],
    held: ["sleep 1", `exec ${real} "$@"`],
  };
  const lines = [
    "#!/bin/sh",
    `case " $* " in *" ${moment.tmux} "*) ;; *) exec ${real} "$@" ;; esac`,
    // Calls may come at the same time: a folder is made by one of them only.
    `n=1; while ! mkdir ${calls}-$n 2>/dev/null; do n=$((n + 1)); done`,
    `[ $n = ${moment.nth} ] || exec ${real} "$@"`,
    ...acts[moment.when],
  ];
  chmodSync(await w.file(`${bin}/tmux`, lines.join("\n")), 0o755);
  return `${join(w.dir, bin)}:${path}`;
}

export interface Struck {
  readonly exit: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command, struck at these moments. */
export async function struck(
  w: CodexWorld,
  argv: readonly string[],
  signal: NodeJS.Signals,
  ...moments: readonly Moment[]
): Promise<Struck> {
  let query = "";
  let PATH = w.env.PATH!;
  for (const moment of moments) {
    if ("records" in moment) query = moment.records;
    else PATH = await strikingTmux(w, signal, moment, PATH);
  }
  const child = Bun.spawn([process.execPath, CHILD, signal, query, ...argv], {
    env: { ...w.env, PATH },
    cwd: w.work,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  await child.exited;
  return { exit: child.exitCode, signal: child.signalCode as NodeJS.Signals | null, stdout, stderr };
}

/** The tmux sessions of agents. */
export const agentTerminals = (w: World): string[] =>
  Bun.spawnSync(["tmux", "list-sessions", "-F", "#{session_name}"], { env: w.env })
    .stdout.toString()
    .split("\n")
    .filter((name) => /^(codex|claude)-/.test(name) || name === "raw")
    .sort();

/** Processes of the agent that live in this world's home of theirs. */
export async function agentProcesses(w: CodexWorld): Promise<number[]> {
  const found: number[] = [];
  for (const { pid } of (await listProcesses(w.env)) ?? [])
    if (environmentOf(pid, "CODEX_HOME") === w.codexHome && agents.codex.isExecutable((await executableOf(pid, w.env)) ?? ""))
      found.push(pid);
  return found;
}

/** Folders of sessions in which nothing lies: who was asked to end a start takes them away. */
export function emptyFolders(w: CodexWorld): string[] {
  const served = join(w.stateRoot, "artifacts", "served");
  return existsSync(served) ? readdirSync(served).filter((each) => readdirSync(join(served, each)).length === 0) : [];
}

/** Nothing runs, and nothing on record is open. */
export async function expectNothingLeft(w: CodexWorld): Promise<void> {
  expect(agentTerminals(w)).toEqual([]);
  expect(await agentProcesses(w)).toEqual([]);
  if (!existsSync(w.dbPath)) return;
  expect(w.rows("select name from sessions where state = 'active'")).toEqual([]);
  expect(w.rows("select id from bindings where state in ('active', 'ending')")).toEqual([]);
  expect(w.rows("select id from runs where status = 'active'")).toEqual([]);
  expect(w.rows("select name from unfinished_starts")).toEqual([]);
  expect(w.rows("select name from tasks where state not in ('done', 'failed')")).toEqual([]);
}
