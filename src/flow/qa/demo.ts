/**
 * The main job tried on this machine, without an account: two real sessions, scripts for their models, everything else as it always is.
 */
import type { Context } from "../../context.ts";
import type { Agent } from "../../core/agent/agent.ts";
import { agents } from "../../core/agent/agents.ts";
import { type DemoPair, type DemoResult, type DemoWords, demoWords } from "../../core/qa/demo.ts";
import { Failure } from "../../core/failure.ts";
import { type DemoFacts, demoFacts } from "../../store/demo-facts.ts";
import type { Store } from "../../store/store.ts";
import { type InstalledAgent, installedAgent } from "../../system/agent/cli.ts";
import { GREETING } from "../../system/demo-folder.ts";
import { runProgram } from "../../system/processes/run.ts";
import { transcriptHead } from "../../system/agent/transcript.ts";
import { DEMO, demoCast, playedScript } from "./demo-script.ts";
import { type DemoSet, DemoStage, type DemoTeller, LIMIT_MS, needPrograms, playDemo } from "./demo-stage.ts";
import { newestTurn } from "../reach/open-turn.ts";
import { tmuxNameOf } from "../sessions/begin-terminal.ts";
import type { Paired } from "../sessions/pair.ts";
import type { LaunchWish } from "../sessions/way-of-launch.ts";

/** A home is made for each of the agents. */
export interface DemoOptions extends DemoPair<Agent> {
  readonly keep: boolean;
  /** How they are started; absent: as everybody's are. */
  readonly launch: LaunchWish | undefined;
}

/** Runs it. @throws Failure when an agent, tmux or git is not installed */
export async function runDemo(cx: Context, options: DemoOptions, tell: DemoTeller): Promise<DemoResult> {
  needPrograms(cx);
  const side = async (agent: Agent): Promise<Side> => ({ agent, installed: await installedAgent(agent, cx.env) });
  const sides = { worker: await side(options.worker), manager: await side(options.manager) };
  const plot = {
    agents: [options.worker, options.manager],
    project: GREETING,
    script: (say: (who: string, did: string) => void) => playedScript(demoCast, say),
    run: (set: DemoSet) => new DemoRun(set, sides, options.launch),
    keep: options.keep,
  };
  const { run, played } = await playDemo(cx, plot, tell);
  return {
    ...played,
    codex: [sides.worker, sides.manager].find(({ agent }) => agent.key === agents.codex.key)?.installed.versionText ?? null,
    agents: { worker: named(sides.worker), manager: named(sides.manager) },
    launch: run.launch,
    crew: null,
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

class DemoRun extends DemoStage {
  launch: DemoResult["launch"] = null;
  private readonly words: DemoWords;

  constructor(
    set: DemoSet,
    private readonly sides: DemoPair<Side>,
    private readonly wish: LaunchWish | undefined,
  ) {
    const words = demoWords({ worker: sides.worker.agent, manager: sides.manager.agent });
    super(set, words.nothingRuns);
    this.words = words;
    this.current = words.world;
  }

  async play(): Promise<void> {
    const { words } = this;
    this.done("demo", words.world);
    const paired = await this.pair();
    const store = this.set.cx.store(this.set.folder.database);
    const facts = () => demoFacts(store, paired.task.id, { worker: DEMO.worker, manager: DEMO.manager });
    const step = (name: string, who: "worker" | "manager" | "dispatch", seen: (facts: DemoFacts) => boolean) =>
      this.reach(name, who, this.paneOf(who), () => seen(facts()));
    await step(words.looks, "manager", (now) => now.cycles >= 1 && now.accepted === 1);
    await step(words.firstTurn, "dispatch", (now) => now.completionsProven >= 1);
    await step(words.gate, "manager", (now) => now.refusals >= 1);
    await step(words.nudge, "manager", (now) => now.nudgesProven === 1);
    await step(words.secondTurn, "dispatch", (now) => now.completionsProven >= 2);
    await step(words.satisfied, "manager", (now) => now.satisfiedWithEvidence === 1);
    await step(words.done, "manager", (now) => now.taskState === "done");
    const last = () => newestTurn(this.sides.manager.agent, paired.manager.codex_session_path);
    await this.reach(words.lastTurn, "manager", this.paneOf("manager"), () => last() === "completed");
    await this.checkWork(store, paired);
  }

  /** Both sessions come up, each with a transcript of its own. */
  private async pair(): Promise<Paired> {
    this.current = this.words.pair;
    this.set.say("demo", "conveyor pair: a worker and a manager come up in tmux");
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
      this.set.folder.project,
      "--timeout-seconds",
      String(LIMIT_MS / 1000),
      ...(this.wish === undefined ? [] : ["--launch", this.wish]),
    ];
    this.pane = tmuxNameOf(this.sides.worker.agent, DEMO.worker);
    const paired = await this.conveyor<Paired & { dispatch: { pid: number | null } }>(words);
    this.pids = [paired.worker.pid, paired.manager.pid, paired.dispatch.pid].filter((pid) => pid !== null);
    this.rollouts = (["worker", "manager"] as const).flatMap((who) => {
      const { codex_session_path: path, codex_session_id: id } = paired[who];
      return path !== null && transcriptHead(this.sides[who].agent, path).id === id ? [path] : [];
    });
    if (new Set(this.rollouts).size !== 2) throw new Failure(`the sessions do not have a record each: ${this.rollouts.join(", ")}`);
    this.done("demo", this.current);
    this.launch = { worker: paired.worker.launch, manager: paired.manager.launch };
    for (const who of ["worker", "manager"] as const) this.set.say(who, wayInto(this.sides[who], paired[who]));
    return paired;
  }

  /** What the worker made is really there, and really right. */
  private async checkWork(store: Store, paired: Paired): Promise<void> {
    this.current = this.words.work;
    const check = await runProgram(["sh", "check.sh"], { env: this.set.folder.env, cwd: this.set.folder.project });
    const changed = await runProgram(["git", "status", "--porcelain"], { env: this.set.folder.env, cwd: this.set.folder.project });
    if (check.code !== 0 || !changed.stdout.includes("greet.sh")) throw new Failure(`sh check.sh: ${check.stdout.trim()}`);
    if (demoFacts(store, paired.task.id, { worker: DEMO.worker, manager: DEMO.manager }).nudgesProven !== 1)
      throw new Failure(`the nudge does not stand in the worker's ${this.sides.worker.agent.transcript.name} exactly once`);
    this.done("demo", this.current);
  }

  private paneOf(who: "worker" | "manager" | "dispatch"): [Agent, string] {
    const party = who === "worker" ? "worker" : "manager";
    return [this.sides[party].agent, DEMO[party]];
  }
}
