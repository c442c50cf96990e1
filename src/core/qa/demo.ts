/** How a demonstration went: its steps, in words that name the agents where they differ, and where its records lie. */
import type { Agent } from "../agent/agent.ts";
import type { WayOfLaunch } from "../sessions/session.ts";

/** Who works, and who manages. */
export interface DemoPair<Each> {
  readonly worker: Each;
  readonly manager: Each;
}

export interface DemoStep {
  readonly name: string;
  readonly who: string;
  readonly ms: number;
}

export interface DemoResult {
  readonly ok: boolean;
  /** Somebody ended it before it was over. */
  readonly interrupted: boolean;
  readonly steps: readonly DemoStep[];
  /** The step that did not happen, and what its pane shows. */
  readonly failed: { readonly step: string; readonly reason: string; readonly screen: string | null } | null;
  readonly seconds: number;
  /** What Codex calls itself, where it is one of the two. */
  readonly codex: string | null;
  readonly agents: DemoPair<{ readonly agent: string; readonly version: string | null }>;
  /** How the sessions were started; null: they were not. */
  readonly launch: DemoPair<WayOfLaunch | null> | null;
  /** Where the records lie; null when they were removed. */
  readonly folder: string | null;
  readonly database: string | null;
  readonly rollouts: readonly string[];
  /** With `--crew`: whose work landed, and why another's did not; else null. */
  readonly crew: readonly DemoMate[] | null;
}

/** One worker of the crew, and what became of its work. */
export interface DemoMate {
  readonly task: string;
  readonly worker: string;
  readonly agent: string;
  readonly landed: boolean;
  readonly refused: string | null;
}

/** What the steps are called. */
export interface DemoWords {
  readonly world: string;
  readonly pair: string;
  readonly looks: string;
  readonly firstTurn: string;
  readonly gate: string;
  readonly nudge: string;
  readonly secondTurn: string;
  readonly satisfied: string;
  readonly done: string;
  readonly lastTurn: string;
  readonly work: string;
  readonly nothingRuns: string;
}

/** What the steps of the crew are called. */
export interface CrewWords {
  readonly world: string;
  readonly pair: string;
  readonly crew: string;
  readonly told: string;
  readonly alone: string;
  readonly landed: string;
  readonly refused: string;
  readonly work: string;
  readonly nothingRuns: string;
}

/** @param workers what each of the workers runs, in their order */
export function crewWords(manager: Agent, workers: readonly Agent[]): CrewWords {
  const labels = [...new Set([manager, ...workers].map(({ label }) => label))];
  const told = manager.transcript.name;
  return {
    world: `a private ${labels.map((label) => `${label} home`).join(" and ")}, state root, tmux server and git repository`,
    pair: `pair: a ${manager.label} manager, and a ${workers[0]!.label} worker in a git worktree of its own`,
    crew: `pair --crew: the same manager leads two more, each in its worktree (${workers
      .slice(1)
      .map(({ label }) => label)
      .join(", ")})`,
    told: `all three have worked beside each other; Dispatch tells the manager, proven in its ${told}`,
    alone: "each work is proven by a command in its own worktree",
    landed: "land: two of them are merged, proven once more on the merge, and land",
    refused: "land: the third is refused, since its proof fails on the merged tree although it passed alone",
    work: "main and its checkout have the two that landed, and nothing of the third, which lies whole in its worktree",
    nothingRuns: "nothing runs afterwards",
  };
}

export function demoWords({ worker, manager }: DemoPair<Agent>): DemoWords {
  const isOne = worker.key === manager.key;
  const told = `Dispatch tells the manager, proven in its ${manager.transcript.name}`;
  return {
    world: isOne
      ? `a private ${worker.label} home, state root, tmux server and git project`
      : `a private ${worker.label} home and ${manager.label} home, state root, tmux server and git project`,
    pair: isOne
      ? `pair: two ${worker.label} sessions, each with a ${worker.transcript.name} of its own`
      : `pair: a ${worker.label} worker with a ${worker.transcript.name} and a ${manager.label} manager with a ${manager.transcript.name}`,
    looks: "the manager looks and accepts a criterion",
    firstTurn: `the worker's first turn ends; ${told}`,
    gate: "the gate holds: finishing is refused while a criterion is open",
    nudge: `the manager's words reach the worker, proven in its ${worker.transcript.name}`,
    secondTurn: `the worker's second turn ends; ${told}`,
    satisfied: "the criterion is satisfied with evidence",
    done: "the task is done",
    lastTurn: "the manager's last turn ends",
    work: "the work stands: the file is changed and its check passes",
    nothingRuns: "nothing runs afterwards",
  };
}
