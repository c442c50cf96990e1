/**
 * The main job tried on this machine, without an account: two real sessions, scripts for their models, everything else as it always is.
 */
import type { Context } from "../../context.ts";
import type { Agent } from "../../core/agent/agent.ts";
import { agents } from "../../core/agent/agents.ts";
import { type DemoPair, type DemoResult, type DemoStep, type DemoWords, demoWords } from "../../core/qa/demo.ts";
import { Failure } from "../../core/failure.ts";
import { type DemoFacts, demoFacts } from "../../store/demo-facts.ts";
import type { Store } from "../../store/store.ts";
import { machineOf } from "../../system/agent/agents.ts";
import { type InstalledAgent, installedAgent } from "../../system/agent/cli.ts";
import { which } from "../../system/processes/environment.ts";
import { runProgram } from "../../system/processes/run.ts";
import { type DemoFolder, makeDemoFolder, removeDemoFolder } from "../../system/demo-folder.ts";
import { transcriptHead } from "../../system/agent/transcript.ts";
import { selfArgv } from "../../system/processes/self.ts";
import { onStop } from "../../system/processes/this-process.ts";
import { capturePane } from "../../system/terminal/panes.ts";
import { closeDemo } from "./demo-close.ts";
import { DEMO, demoScript } from "./demo-script.ts";
import { newestTurn } from "../reach/open-turn.ts";
import { tmuxNameOf } from "../sessions/begin-terminal.ts";
import type { Paired } from "../sessions/pair.ts";
import type { LaunchWish } from "../sessions/way-of-launch.ts";

/** Told what happens as it happens: who does what, and how long the demonstration has run. */
export type DemoTeller = (who: string, what: string, ms: number) => void;

const LIMIT_MS = 60_000;

/** A home is made for each of the agents. */
export interface DemoOptions extends DemoPair<Agent> {
  readonly keep: boolean;
  /** How they are started; absent: as everybody's are. */
  readonly launch: LaunchWish | undefined;
}

/** Runs it. @throws Failure when an agent, tmux or git is not installed */
export async function runDemo(cx: Context, options: DemoOptions, tell: DemoTeller): Promise<DemoResult> {
  const { keep } = options;
  for (const program of ["tmux", "git"])
    if (which(program, cx.env) === null)
      throw new Failure(`${program} is not on PATH`, { hint: `install it, for instance: apt-get install ${program}` });
  const side = async (agent: Agent): Promise<Side> => ({ agent, installed: await installedAgent(agent, cx.env) });
  const sides = { worker: await side(options.worker), manager: await side(options.manager) };
  const begun = performance.now();
  const say = (who: string, what: string) => tell(who, what, performance.now() - begun);
  const script = demoScript((role, did) => say(role, did));
  const models = [...new Set([options.worker, options.manager])].map((agent) => ({ agent, model: machineOf(agent).scriptedModel(script) }));
  const folder = await makeDemoFolder(
    cx.env,
    models.map(({ agent, model }) => ({ agent, modelUrl: model.url })),
  );
  const run = new DemoRun(cx, folder, sides, options.launch, say, begun);
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
  const { nothingRuns } = run.words;
  if (failed === null && left.length > 0) failed = { step: nothingRuns, reason: `still there: ${left.join(", ")}`, screen: null };
  if (failed === null) run.done("nobody", nothingRuns);
  const kept = keep || (failed !== null && !interrupted);
  if (!kept) removeDemoFolder(folder);
  return {
    ok: failed === null,
    interrupted: interrupted && failed !== null && left.length === 0,
    steps: run.steps,
    failed,
    seconds: Math.round((performance.now() - begun) / 100) / 10,
    codex: [sides.worker, sides.manager].find(({ agent }) => agent.key === agents.codex.key)?.installed.versionText ?? null,
    agents: { worker: named(sides.worker), manager: named(sides.manager) },
    launch: run.launch,
    folder: kept ? folder.root : null,
    database: kept ? folder.database : null,
    rollouts: kept ? run.rollouts : [],
  };
}

/** One of the two: the program that it runs, as it is installed here. */
interface Side {
  readonly agent: Agent;
  readonly installed: InstalledAgent;
}

const named = ({ agent, installed }: Side) => ({ agent: agent.key, version: installed.versionText });

/** How one of the two is spoken to, and why not by its protocol. */
function wayInto({ agent, installed }: Side, { launch, launch_why }: Pick<Paired["worker"], "launch" | "launch_why">): string {
  if (launch === "protocol") return `up: spoken to by ${agent.label}'s own protocol, without a key`;
  if (agent.queue?.colleague && installed.features.queue) return `up: spoken to by ${agent.label}'s own inbox, without a key`;
  return `up: spoken to by its terminal${launch_why === null ? "" : `, since ${launch_why}`}`;
}

class DemoRun {
  readonly words: DemoWords;
  readonly steps: DemoStep[] = [];
  current: string;
  /** What was started for it, as far as it was told. */
  pids: number[] = [];
  rollouts: string[] = [];
  launch: DemoResult["launch"] = null;
  private pane: string | null = null;
  private lastAt: number;

  constructor(
    private readonly cx: Context,
    private readonly folder: DemoFolder,
    private readonly sides: DemoPair<Side>,
    private readonly wish: LaunchWish | undefined,
    private readonly say: (who: string, what: string) => void,
    begun: number,
  ) {
    this.lastAt = begun;
    this.words = demoWords({ worker: sides.worker.agent, manager: sides.manager.agent });
    this.current = this.words.world;
  }

  async play(): Promise<void> {
    const { words } = this;
    this.done("demo", words.world);
    const paired = await this.pair();
    const store = this.cx.store(this.folder.database);
    const facts = () => demoFacts(store, paired.task.id, { worker: DEMO.worker, manager: DEMO.manager });
    const step = (name: string, who: "worker" | "manager" | "dispatch", seen: (facts: DemoFacts) => boolean) =>
      this.reach(name, who, () => seen(facts()));
    await step(words.looks, "manager", (now) => now.cycles >= 1 && now.accepted === 1);
    await step(words.firstTurn, "dispatch", (now) => now.completionsProven >= 1);
    await step(words.gate, "manager", (now) => now.refusals >= 1);
    await step(words.nudge, "manager", (now) => now.nudgesProven === 1);
    await step(words.secondTurn, "dispatch", (now) => now.completionsProven >= 2);
    await step(words.satisfied, "manager", (now) => now.satisfiedWithEvidence === 1);
    await step(words.done, "manager", (now) => now.taskState === "done");
    const last = () => newestTurn(this.sides.manager.agent, paired.manager.codex_session_path);
    await this.reach(words.lastTurn, "manager", () => last() === "completed");
    await this.checkWork(store, paired);
  }

  /** Both sessions come up, each with a transcript of its own. */
  private async pair(): Promise<Paired> {
    this.current = this.words.pair;
    this.say("demo", "conveyor pair: a worker and a manager come up in tmux");
    const words = [
      "pair",
      "--task",
      DEMO.task,
      "--task-goal",
      DEMO.goal,
      "--task-prompt",
      DEMO.prompt,
      "--worker-name",
      DEMO.worker,
      "--manager-name",
      DEMO.manager,
      "--worker-agent",
      this.sides.worker.agent.key,
      "--manager-agent",
      this.sides.manager.agent.key,
      "--cwd",
      this.folder.project,
      "--timeout-seconds",
      String(LIMIT_MS / 1000),
      ...(this.wish === undefined ? [] : ["--launch", this.wish]),
    ];
    this.pane = tmuxNameOf(this.sides.worker.agent, DEMO.worker);
    const result = await runProgram([...selfArgv(), ...words], { env: this.folder.env, cwd: this.folder.project, timeoutMs: 3 * LIMIT_MS });
    if (result.code !== 0) throw new Failure(result.stderr.trim() || "pair did not end in time");
    const paired = JSON.parse(result.stdout) as Paired & { dispatch: { pid: number | null } };
    this.pids = [paired.worker.pid, paired.manager.pid, paired.dispatch.pid].filter((pid) => pid !== null);
    this.rollouts = (["worker", "manager"] as const).flatMap((who) => {
      const { codex_session_path: path, codex_session_id: id } = paired[who];
      return path !== null && transcriptHead(this.sides[who].agent, path).id === id ? [path] : [];
    });
    if (new Set(this.rollouts).size !== 2) throw new Failure(`the sessions do not have a record each: ${this.rollouts.join(", ")}`);
    this.done("demo", this.current);
    this.launch = { worker: paired.worker.launch, manager: paired.manager.launch };
    for (const who of ["worker", "manager"] as const) this.say(who, wayInto(this.sides[who], paired[who]));
    return paired;
  }

  /** What the worker made is really there, and really right. */
  private async checkWork(store: Store, paired: Paired): Promise<void> {
    this.current = this.words.work;
    const check = await runProgram(["sh", "check.sh"], { env: this.folder.env, cwd: this.folder.project });
    const changed = await runProgram(["git", "status", "--porcelain"], { env: this.folder.env, cwd: this.folder.project });
    if (check.code !== 0 || !changed.stdout.includes("greet.sh")) throw new Failure(`sh check.sh: ${check.stdout.trim()}`);
    if (demoFacts(store, paired.task.id, { worker: DEMO.worker, manager: DEMO.manager }).nudgesProven !== 1)
      throw new Failure(`the nudge does not stand in the worker's ${this.sides.worker.agent.transcript.name} exactly once`);
    this.done("demo", this.current);
  }

  private async reach(name: string, who: "worker" | "manager" | "dispatch", seen: () => boolean): Promise<void> {
    this.current = name;
    const party = who === "worker" ? "worker" : "manager";
    this.pane = tmuxNameOf(this.sides[party].agent, DEMO[party]);
    for (const end = performance.now() + LIMIT_MS; !seen(); await Bun.sleep(50))
      if (performance.now() > end) throw new Failure(`it did not happen within ${LIMIT_MS / 1000} s`);
    this.done(who, name);
  }

  done(who: string, name: string): void {
    const now = performance.now();
    this.steps.push({ name, who, ms: Math.round(now - this.lastAt) });
    this.lastAt = now;
    this.say(who, `✓ ${name}`);
  }

  /** What the pane of the step at hand shows. */
  async screen(): Promise<string | null> {
    if (this.pane === null) return null;
    return capturePane(this.folder.env, this.pane, 0).then(
      (text) => text.trimEnd(),
      () => null,
    );
  }
}
