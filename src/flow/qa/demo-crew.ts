/**
 * A crew tried on this machine: one manager, three workers, each in a git worktree of its own. Two of their branches land, and one is
 * refused, since its proof fails on the merge although it passed alone.
 */
import { join } from "node:path";
import type { Context } from "../../context.ts";
import type { Agent } from "../../core/agent/agent.ts";
import { agents } from "../../core/agent/agents.ts";
import { type CrewWords, crewWords, type DemoMate, type DemoResult } from "../../core/qa/demo.ts";
import { Failure } from "../../core/failure.ts";
import { crewFacts } from "../../store/demo-facts.ts";
import type { Store } from "../../store/store.ts";
import { installedAgent } from "../../system/agent/cli.ts";
import { runProgram } from "../../system/processes/run.ts";
import { tmuxNameOf } from "../sessions/begin-terminal.ts";
import type { Paired } from "../sessions/pair.ts";
import { crewCast, HOUSE, LEADER, type Mate, MATES, UNFIT } from "./demo-crew-script.ts";
import type { DemoOptions } from "./demo.ts";
import { playedScript } from "./demo-script.ts";
import { type DemoSet, DemoStage, type DemoTeller, LIMIT_MS, needPrograms, playDemo } from "./demo-stage.ts";

/** Runs it. @param third what the third worker runs. @throws Failure when an agent, tmux or git is not installed */
export async function runCrewDemo(
  cx: Context,
  { worker, manager, keep, launch }: DemoOptions,
  third: Agent,
  tell: DemoTeller,
): Promise<DemoResult> {
  needPrograms(cx);
  const workers = [worker, worker, third];
  const versions = new Map<Agent, string | null>();
  for (const agent of [manager, ...workers]) versions.set(agent, (await installedAgent(agent, cx.env)).versionText);
  const plot = {
    agents: [manager, ...workers],
    project: HOUSE,
    script: (say: (who: string, did: string) => void) => playedScript(crewCast, say),
    run: (set: DemoSet) => new CrewRun(set, manager, workers, launch),
    keep,
  };
  const { run, played } = await playDemo(cx, plot, tell);
  const named = (agent: Agent) => ({ agent: agent.key, version: versions.get(agent) ?? null });
  return {
    ...played,
    codex: versions.get(agents.codex) ?? null,
    agents: { worker: named(worker), manager: named(manager) },
    launch: run.launch,
    crew: run.mates,
  };
}

type Started = Paired & { readonly dispatch: { readonly pid: number | null } };

class CrewRun extends DemoStage {
  launch: DemoResult["launch"] = null;
  mates: readonly DemoMate[] = [];
  private readonly words: CrewWords;

  constructor(
    set: DemoSet,
    private readonly manager: Agent,
    private readonly workers: readonly Agent[],
    private readonly wish: DemoOptions["launch"],
  ) {
    const words = crewWords(manager, workers);
    super(set, words.nothingRuns);
    this.words = words;
    this.current = words.world;
  }

  async play(): Promise<void> {
    const { words, set, manager } = this;
    this.done("demo", words.world);
    this.current = words.pair;
    const [first, ...others] = MATES;
    set.say("demo", "conveyor pair --worktree: a leader comes up, and the first of its workers");
    await this.start(0, first!, ["--manager-agent", manager.key]);
    this.done("demo", words.pair);
    this.current = words.crew;
    set.say("demo", "conveyor pair --crew --worktree: two more workers for the same leader, at once");
    await Promise.all(others.map((mate, index) => this.start(index + 1, mate, ["--crew"])));
    this.done("demo", words.crew);
    const store = set.cx.store(set.folder.database);
    const step = (name: string, who: string, seen: () => boolean) => this.reach(name, who, [manager, LEADER], seen);
    await step(words.told, "dispatch", () => crewFacts(store).told === MATES.length);
    await step(words.alone, "leader", () => crewFacts(store).provenAlone === MATES.length);
    await step(words.landed, "leader", () => crewFacts(store).landings.filter(({ state }) => state === "landed").length === 2);
    await step(words.refused, "leader", () => crewFacts(store).landings.some(({ task, state }) => task === UNFIT && state === "undone"));
    await this.checkWork(store);
  }

  private async start(index: number, { task, worker, goal, prompt }: Mate, more: readonly string[]): Promise<void> {
    const agent = this.workers[index]!;
    this.pane = tmuxNameOf(agent, worker);
    const words = ["pair", ...more, "--task", task, "--task-goal", goal, "--task-prompt", prompt];
    const sides = ["--worker-name", worker, "--worker-agent", agent.key, "--manager-name", LEADER];
    const how = ["--worktree", "--manager-permit", "operator.land", "--cwd", this.set.folder.project];
    const limits = ["--timeout-seconds", String(LIMIT_MS / 1000), ...(this.wish === undefined ? [] : ["--launch", this.wish])];
    const started = await this.conveyor<Started>([...words, ...sides, ...how, ...limits]);
    this.pids.push(...[started.worker.pid, started.manager.pid, started.dispatch.pid].filter((pid) => pid !== null));
    this.rollouts = [
      ...new Set([...this.rollouts, ...[started.manager, started.worker].flatMap(({ codex_session_path: path }) => path ?? [])]),
    ];
    this.launch ??= { worker: started.worker.launch, manager: started.manager.launch };
    this.set.say(task, `up: a ${agent.label} worker in a worktree of its own`);
  }

  /** What landed is there and right, what did not is not there and whole where it was made. */
  private async checkWork(store: Store): Promise<void> {
    const { words, workers, set } = this;
    const { project, env } = set.folder;
    this.current = words.work;
    this.mates = MATES.map(({ task, worker }, index) => {
      const landing = crewFacts(store).landings.find((each) => each.task === task);
      return { task, worker, agent: workers[index]!.key, landed: landing?.state === "landed", refused: landing?.why ?? null };
    });
    const need = async (cwd: string, command: readonly string[], told: (said: string) => boolean): Promise<void> => {
      const ran = await runProgram(command, { env, cwd });
      if (ran.code !== 0 || !told(ran.stdout)) throw new Failure(`${command.join(" ")}: ${(ran.stdout + ran.stderr).trim()}`);
    };
    for (const { task, test, worker } of MATES) {
      if (task !== UNFIT) await need(project, ["sh", test], () => true);
      else await need(join(env.WORKERCTL_STATE_ROOT!, ".worktrees", worker), ["sh", test], () => true);
    }
    await need(project, ["git", "status", "--porcelain"], (said) => !/^[ MADRU]{2}/m.test(said));
    await need(project, ["git", "diff", "--name-only", "HEAD~1", "HEAD"], (said) => !said.includes(`${UNFIT}.sh`));
    await need(project, ["cat", `${UNFIT}.sh`], (said) => said === HOUSE.files[`${UNFIT}.sh`]);
    this.done("demo", words.work);
  }
}
