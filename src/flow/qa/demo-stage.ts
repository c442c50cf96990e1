/** What every demonstration has: a private world, scripts for its models, steps that are awaited, and an end that leaves nothing. */
import type { Context } from "../../context.ts";
import type { Agent } from "../../core/agent/agent.ts";
import type { ModelScript } from "../../core/agent/scripted-model.ts";
import type { DemoResult, DemoStep } from "../../core/qa/demo.ts";
import { Failure } from "../../core/failure.ts";
import { machineOf } from "../../system/agent/agents.ts";
import { type DemoFolder, type DemoProject, makeDemoFolder, removeDemoFolder } from "../../system/demo-folder.ts";
import { which } from "../../system/processes/environment.ts";
import { runProgram } from "../../system/processes/run.ts";
import { selfArgv } from "../../system/processes/self.ts";
import { onStop } from "../../system/processes/this-process.ts";
import { capturePane } from "../../system/terminal/panes.ts";
import { tmuxNameOf } from "../sessions/begin-terminal.ts";
import { closeDemo } from "./demo-close.ts";

/** Told what happens as it happens: who does what, and how long the demonstration has run. */
export type DemoTeller = (who: string, what: string, ms: number) => void;

export const LIMIT_MS = 60_000;

/** What it is played with. */
export interface DemoSet {
  readonly cx: Context;
  readonly folder: DemoFolder;
  readonly say: (who: string, what: string) => void;
  readonly begun: number;
}

/** A demonstration as it goes on. */
export abstract class DemoStage {
  readonly steps: DemoStep[] = [];
  current = "";
  /** What was started for it, as far as it was told. */
  pids: number[] = [];
  rollouts: string[] = [];
  protected pane: string | null = null;
  private lastAt: number;

  constructor(
    protected readonly set: DemoSet,
    readonly nothingRuns: string,
  ) {
    this.lastAt = set.begun;
  }

  abstract play(): Promise<void>;

  /** Runs this program in the demonstration's world. @throws Failure with what it said when it does not end well */
  protected async conveyor<T>(words: readonly string[]): Promise<T> {
    const { env } = this.set.folder;
    const ran = await runProgram([...selfArgv(), ...words], { env, cwd: this.set.folder.project, timeoutMs: 3 * LIMIT_MS });
    if (ran.code !== 0) throw new Failure(ran.stderr.trim() || `${words[0]} did not end in time`);
    return JSON.parse(ran.stdout) as T;
  }

  /** @param pane whose screen is shown when it does not happen */
  protected async reach(name: string, who: string, pane: readonly [Agent, string], seen: () => boolean): Promise<void> {
    this.current = name;
    this.pane = tmuxNameOf(...pane);
    for (const end = performance.now() + LIMIT_MS; !seen(); await Bun.sleep(50))
      if (performance.now() > end) throw new Failure(`it did not happen within ${LIMIT_MS / 1000} s`);
    this.done(who, name);
  }

  done(who: string, name: string): void {
    const now = performance.now();
    this.steps.push({ name, who, ms: Math.round(now - this.lastAt) });
    this.lastAt = now;
    this.set.say(who, `✓ ${name}`);
  }

  /** What the pane of the step at hand shows. */
  async screen(): Promise<string | null> {
    if (this.pane === null) return null;
    return capturePane(this.set.folder.env, this.pane, 0).then(
      (text) => text.trimEnd(),
      () => null,
    );
  }
}

interface DemoPlot<Run> {
  /** A home is made for each, and a model. */
  readonly agents: readonly Agent[];
  readonly project: DemoProject;
  readonly script: (witness: (who: string, did: string) => void) => ModelScript;
  readonly run: (set: DemoSet) => Run;
  readonly keep: boolean;
}

/** What can be told of every demonstration. */
export type Played = Pick<DemoResult, "ok" | "interrupted" | "steps" | "failed" | "seconds" | "folder" | "database" | "rollouts">;

/** @throws Failure when tmux or git is not installed */
export function needPrograms(cx: Context): void {
  for (const program of ["tmux", "git"])
    if (which(program, cx.env) === null)
      throw new Failure(`${program} is not on PATH`, { hint: `install it, for instance: apt-get install ${program}` });
}

/** Plays it to its end, and ends all that it started. */
export async function playDemo<Run extends DemoStage>(
  cx: Context,
  plot: DemoPlot<Run>,
  tell: DemoTeller,
): Promise<{ readonly run: Run; readonly played: Played }> {
  const begun = performance.now();
  const say = (who: string, what: string) => tell(who, what, performance.now() - begun);
  const script = plot.script(say);
  const models = [...new Set(plot.agents)].map((agent) => ({ agent, model: machineOf(agent).scriptedModel(script) }));
  const folder = await makeDemoFolder(
    cx.env,
    models.map(({ agent, model }) => ({ agent, modelUrl: model.url })),
    plot.project,
  );
  const run = plot.run({ cx, folder, say, begun });
  let failed: DemoResult["failed"] = null;
  let interrupted = false;
  let giveUp = (): void => {};
  const stopped = new Promise<never>((_, reject) => (giveUp = () => reject(new Failure("it was interrupted"))));
  const release = onStop(
    () => {
      interrupted = true;
      giveUp();
    },
    { patient: true },
  );
  try {
    await Promise.race([run.play(), stopped]);
  } catch (error) {
    // Who interrupts it has seen enough.
    const screen = interrupted ? null : await run.screen();
    failed = { step: run.current, reason: (error as Error).message, screen };
  }
  const left = await closeDemo(cx, folder, run.pids, (what) => say("demo", what));
  await Promise.all(models.map(({ model }) => model.stop()));
  release();
  const { nothingRuns } = run;
  if (failed === null && left.length > 0) failed = { step: nothingRuns, reason: `still there: ${left.join(", ")}`, screen: null };
  if (failed === null) run.done("nobody", nothingRuns);
  const kept = plot.keep || (failed !== null && !interrupted);
  if (!kept) removeDemoFolder(folder);
  const played: Played = {
    ok: failed === null,
    interrupted: interrupted && failed !== null && left.length === 0,
    steps: run.steps,
    failed,
    seconds: Math.round((performance.now() - begun) / 100) / 10,
    folder: kept ? folder.root : null,
    database: kept ? folder.database : null,
    rollouts: kept ? run.rollouts : [],
  };
  return { run, played };
}
