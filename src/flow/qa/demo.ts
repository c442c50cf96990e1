/**
 * The main job tried on this machine, without an account: two real Codex sessions, scripts for their models, everything else as it always
 * is.
 */
import type { Context } from "../../context.ts";
import type { Agent } from "../../core/agent/agent.ts";
import { agentOfPath } from "../../core/agent/agents.ts";
import type { DemoLaunch, DemoResult, DemoStep } from "../../core/qa/demo.ts";
import { Failure } from "../../core/failure.ts";
import { type DemoFacts, demoFacts } from "../../store/demo-facts.ts";
import type { Store } from "../../store/store.ts";
import { installedAgent } from "../../system/agent/cli.ts";
import { which } from "../../system/processes/environment.ts";
import { runProgram } from "../../system/processes/run.ts";
import { type DemoFolder, makeDemoFolder, removeDemoFolder } from "../../system/demo-folder.ts";
import { transcriptHead } from "../../system/agent/transcript.ts";
import { scriptedModel } from "../../system/scripted-model.ts";
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

export interface DemoOptions {
  readonly keep: boolean;
  /** How they are started; absent: as everybody's are. */
  readonly launch: LaunchWish | undefined;
  /** Who works; its home is made for the demonstration. */
  readonly worker: Agent;
  readonly manager: Agent;
}

/** Runs it. @throws Failure when the agent, tmux or git is not installed */
export async function runDemo(cx: Context, { keep, launch, worker, manager }: DemoOptions, tell: DemoTeller): Promise<DemoResult> {
  for (const program of ["tmux", "git"])
    if (which(program, cx.env) === null)
      throw new Failure(`${program} is not on PATH`, { hint: `install it, for instance: apt-get install ${program}` });
  const installed = await installedAgent(worker, cx.env);
  const begun = performance.now();
  const say = (who: string, what: string) => tell(who, what, performance.now() - begun);
  const model = scriptedModel(demoScript((role, did) => say(role, did)));
  const folder = await makeDemoFolder(cx.env, worker, model.url);
  const run = new DemoRun(cx, folder, { worker, manager, launch }, say, begun);
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
  await model.stop();
  release();
  if (failed === null && left.length > 0)
    failed = { step: "nothing runs afterwards", reason: `still there: ${left.join(", ")}`, screen: null };
  if (failed === null) run.done("nobody", "nothing runs afterwards");
  const kept = keep || (failed !== null && !interrupted);
  if (!kept) removeDemoFolder(folder);
  return {
    ok: failed === null,
    interrupted: interrupted && failed !== null && left.length === 0,
    steps: run.steps,
    failed,
    seconds: Math.round((performance.now() - begun) / 100) / 10,
    codex: installed.versionText,
    launch: run.launch,
    folder: kept ? folder.root : null,
    database: kept ? folder.database : null,
    rollouts: kept ? run.rollouts : [],
  };
}

/** How one of the two is spoken to, and why not by its protocol. */
const wayInto = (agent: Agent, { launch, launch_why }: Pick<Paired["worker"], "launch" | "launch_why">): string =>
  launch === "protocol"
    ? `up: spoken to by ${agent.label}'s own protocol, without a key`
    : `up: spoken to by its terminal${launch_why === null ? "" : `, since ${launch_why}`}`;

class DemoRun {
  readonly steps: DemoStep[] = [];
  current = "a private world";
  /** What was started for it, as far as it was told. */
  pids: number[] = [];
  rollouts: string[] = [];
  launch: DemoLaunch | null = null;
  private pane: string | null = null;
  private lastAt: number;

  constructor(
    private readonly cx: Context,
    private readonly folder: DemoFolder,
    private readonly agents: Pick<DemoOptions, "worker" | "manager" | "launch">,
    private readonly say: (who: string, what: string) => void,
    begun: number,
  ) {
    this.lastAt = begun;
  }

  async play(): Promise<void> {
    this.done("demo", "a private Codex home, state root, tmux server and git project");
    const paired = await this.pair();
    const store = this.cx.store(this.folder.database);
    const facts = () => demoFacts(store, paired.task.id, { worker: DEMO.worker, manager: DEMO.manager });
    const step = (name: string, who: "worker" | "manager" | "dispatch", seen: (facts: DemoFacts) => boolean) =>
      this.reach(name, who, () => seen(facts()));
    await step("the manager looks and accepts a criterion", "manager", (now) => now.cycles >= 1 && now.accepted === 1);
    await step(
      "the worker's first turn ends; Dispatch tells the manager, proven in its rollout",
      "dispatch",
      (now) => now.completionsProven >= 1,
    );
    await step("the gate holds: finishing is refused while a criterion is open", "manager", (now) => now.refusals >= 1);
    await step("the manager's words reach the worker, proven in its rollout", "manager", (now) => now.nudgesProven === 1);
    await step(
      "the worker's second turn ends; Dispatch tells the manager, proven in its rollout",
      "dispatch",
      (now) => now.completionsProven >= 2,
    );
    await step("the criterion is satisfied with evidence", "manager", (now) => now.satisfiedWithEvidence === 1);
    await step("the task is done", "manager", (now) => now.taskState === "done");
    await this.reach(
      "the manager's last turn ends",
      "manager",
      () => newestTurn(this.agents.manager, paired.manager.codex_session_path) === "completed",
    );
    await this.checkWork(store, paired);
  }

  /** Both sessions come up, each with a thread of its own. */
  private async pair(): Promise<Paired> {
    this.current = "pair: two Codex sessions, each with a rollout of its own";
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
      this.agents.worker.key,
      "--manager-agent",
      this.agents.manager.key,
      "--cwd",
      this.folder.project,
      "--timeout-seconds",
      String(LIMIT_MS / 1000),
      ...(this.agents.launch === undefined ? [] : ["--launch", this.agents.launch]),
    ];
    this.pane = tmuxNameOf(this.agents.worker, DEMO.worker);
    const result = await runProgram([...selfArgv(), ...words], { env: this.folder.env, cwd: this.folder.project, timeoutMs: 3 * LIMIT_MS });
    if (result.code !== 0) throw new Failure(result.stderr.trim() || "pair did not end in time");
    const paired = JSON.parse(result.stdout) as Paired & { dispatch: { pid: number | null } };
    this.pids = [paired.worker.pid, paired.manager.pid, paired.dispatch.pid].filter((pid) => pid !== null);
    this.rollouts = [paired.worker, paired.manager].flatMap(({ codex_session_path: path, codex_session_id: id }) =>
      path !== null && transcriptHead(agentOfPath(path), path).id === id ? [path] : [],
    );
    if (new Set(this.rollouts).size !== 2) throw new Failure(`the sessions do not have a rollout each: ${this.rollouts.join(", ")}`);
    this.done("demo", this.current);
    this.launch = { worker: paired.worker.launch, manager: paired.manager.launch };
    for (const who of ["worker", "manager"] as const) this.say(who, wayInto(this.agents[who], paired[who]));
    return paired;
  }

  /** What the worker made is really there, and really right. */
  private async checkWork(store: Store, paired: Paired): Promise<void> {
    this.current = "the work stands: the file is changed and its check passes";
    const check = await runProgram(["sh", "check.sh"], { env: this.folder.env, cwd: this.folder.project });
    const changed = await runProgram(["git", "status", "--porcelain"], { env: this.folder.env, cwd: this.folder.project });
    if (check.code !== 0 || !changed.stdout.includes("greet.sh")) throw new Failure(`sh check.sh: ${check.stdout.trim()}`);
    if (demoFacts(store, paired.task.id, { worker: DEMO.worker, manager: DEMO.manager }).nudgesProven !== 1)
      throw new Failure("the nudge does not stand in the worker's rollout exactly once");
    this.done("demo", this.current);
  }

  private async reach(name: string, who: "worker" | "manager" | "dispatch", seen: () => boolean): Promise<void> {
    this.current = name;
    const party = who === "worker" ? "worker" : "manager";
    this.pane = tmuxNameOf(this.agents[party], DEMO[party]);
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
