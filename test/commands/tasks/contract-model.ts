/** A small model of the supervision contract: what every command must answer and leave behind, without any of its code. */
import { expect } from "bun:test";

/** Numbers that come again with the same seed (mulberry32). */
export class Random {
  constructor(private seed: number) {}
  next(): number {
    this.seed = (this.seed + 0x6d2b79f5) | 0;
    let t = Math.imul(this.seed ^ (this.seed >>> 15), 1 | this.seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  below = (n: number): number => Math.floor(this.next() * n);
  pick = <T>(list: readonly T[]): T => list[this.below(list.length)]!;
  chance = (p: number): boolean => this.next() < p;
  some = <T>(list: readonly T[], p = 0.4): T[] => list.filter(() => this.chance(p));
}

/** One command line, and what is expected of it. */
export interface Step {
  readonly words: readonly string[];
  readonly stdin?: string;
  readonly exit: number;
  /** Part of the JSON on stdout. */
  readonly shows?: object | null;
  /** Looks at the answer and moves the model on. */
  readonly then?: (answer: any) => void;
}

export const STATUSES = ["proposed", "accepted", "satisfied", "deferred", "rejected"] as const;
const SOURCES = ["user_requested", "manager_inferred", "worker_proposed", "final_audit"] as const;
const TEXTS = ["it works", "it is fast", "It works"];
const MOVES = { accept: "accepted", satisfy: "satisfied", defer: "deferred", reject: "rejected" } as const;
const GRANTS: Record<string, readonly string[]> = {
  "repo.open_pr": ["repo.open_pr"],
  create_pr: ["repo.open_pr"],
  allow_worker_compact_clear: ["worker_session.compact", "worker_session.clear"],
  "worker_session.clear": ["worker_session.clear"],
  "context.spawn_reviewer": ["context.spawn_reviewer"],
};
const ACTIONS: Record<string, readonly string[]> = {
  worker_session: ["clear", "compact", "interrupt", "stop"],
  context: ["fetch_issues", "fetch_prs", "spawn_reviewer"],
};
const STEPS = ["record-handoff", "subagent-review", "draft-pr"] as const;
const PROOF = { evidence_type: "adversarial_check", failure_mode: "f", check: "c", result: "r" };
const TURNS = ["one", "two"];

interface Config {
  mode: string;
  objective: string | null;
  tools: string[];
  epilogues: string[];
  nudge: string;
  acks: boolean;
  permissions: Set<string>;
  revision: number;
}

export class Model {
  done = false;
  criteria: { id: number; text: string; source: string; status: string; proof: boolean }[] = [];
  config: Config | null = null;
  acks: Record<string, { revision: number; of: number | null } | null> = { worker: null, manager: null };
  handoffs = 0;
  proposals: { proposer: string; turn: string; id: number }[] = [];
  reviews: { verdict: string; turn: string }[] = [];
  epilogue = new Map<string, boolean>();
  decisions: { id: number; kind: string }[] = [];
  commands: string[] = [];
  readonly events: Record<string, number> = {};

  constructor(
    readonly task: string,
    private readonly random: Random,
  ) {}

  private count(type: string): void {
    this.events[type] = (this.events[type] ?? 0) + 1;
  }

  /** The next command, in this order of likelihood: what changes the ledgers, what looks, what ends the task. */
  step(): Step {
    const kinds = [
      this.addCriterion,
      this.addCriterion,
      this.moveCriterion,
      this.moveCriterion,
      this.configure,
      this.configure,
      this.acknowledge,
      this.handoff,
      this.propose,
      this.propose,
      this.review,
      this.runEpilogue,
      this.runEpilogue,
      this.decide,
      this.ask,
      this.list,
      this.finish,
      this.stop,
    ];
    return this.random.pick(kinds).call(this);
  }

  private summary = () =>
    Object.fromEntries(STATUSES.map((status) => [status, this.criteria.filter((row) => row.status === status).length]));

  private addCriterion(): Step {
    const [text, source] = [this.random.pick(TEXTS), this.random.pick(SOURCES)];
    const status = this.random.pick(["proposed", "accepted", "satisfied"]);
    const proof = this.random.chance(0.3);
    const words = [
      "criteria",
      this.task,
      "--add",
      "--criterion",
      ` ${text} `,
      "--source",
      source,
      "--status",
      status,
      ...(proof ? ["--evidence-json", JSON.stringify(PROOF)] : []),
    ];
    const known = this.criteria.find((row) => row.text === text && row.source === source);
    return {
      words,
      exit: 0,
      shows: { affected_criterion: { criterion: text, source, status: known?.status ?? status } },
      then: (answer) => {
        if (!known) {
          this.criteria.push({ id: answer.affected_criterion.id, text, source, status, proof });
          this.count("acceptance_criterion_added");
        } else expect(answer.affected_criterion.id).toBe(known.id);
        expect(answer.summary).toEqual(this.summary());
      },
    };
  }

  private moveCriterion(): Step {
    const verb = this.random.pick(Object.keys(MOVES) as (keyof typeof MOVES)[]);
    const row = this.criteria.length > 0 && this.random.chance(0.9) ? this.random.pick(this.criteria) : null;
    const clear = this.random.chance(0.2);
    const words = ["criteria", this.task, `--${verb}`, String(row?.id ?? 999999), ...(clear ? ["--evidence-json", "{}"] : [])];
    if (!row) return { words, exit: 1 };
    return {
      words,
      exit: 0,
      shows: { affected_criterion: { id: row.id, status: MOVES[verb] } },
      then: (answer) => {
        row.status = MOVES[verb];
        if (clear) row.proof = false;
        this.count("acceptance_criterion_updated");
        expect(answer.summary).toEqual(this.summary());
      },
    };
  }

  private configure(): Step {
    const { random } = this;
    const old = this.config;
    const next: Config = old
      ? { ...old, permissions: new Set(old.permissions) }
      : {
          mode: "guided",
          objective: null,
          tools: [],
          epilogues: [],
          nudge: "ask-operator",
          acks: false,
          permissions: new Set(),
          revision: 0,
        };
    const words = ["manager-config", this.task];
    const flag = (p: number, ...flags: string[]) => random.chance(p) && words.push(...flags) > 0;
    const mode = random.pick(["light", "guided", "strict"]);
    if (flag(0.3, "--mode", mode)) next.mode = mode;
    if (flag(0.2, "--clear", "tools")) next.tools = [];
    const tools = random.some(["a", " a", "b"]);
    for (const tool of tools) words.push("--tool", tool);
    if (tools.length > 0) next.tools = [...new Set(tools.map((tool) => tool.trim()))];
    const steps = random.some(STEPS, 0.25);
    for (const step of steps) words.push("--epilogue", step);
    if (steps.length > 0) next.epilogues = steps;
    const nudge = random.pick(["off", "auto-proceed", "ask-operator"]);
    if (flag(0.2, "--nudge-on-completion", nudge)) next.nudge = nudge;
    if (flag(0.1, "--require-acks")) next.acks = true;
    else if (flag(0.1, "--no-require-acks")) next.acks = false;
    if (flag(0.2, "--objective", "o")) next.objective = "o";
    for (const name of random.some(Object.keys(GRANTS), 0.25)) {
      words.push("--permit", name);
      for (const each of GRANTS[name]!) next.permissions.add(each);
    }
    this.override(words, next.permissions);
    const plain = words.length === 2;
    const same = old !== null && (plain || JSON.stringify(face(next)) === JSON.stringify(face(old)));
    next.revision = (old?.revision ?? 0) + (same ? 0 : 1);
    return {
      words,
      exit: 0,
      shows: {
        supervision_mode: next.mode,
        tools: next.tools,
        epilogues: next.epilogues,
        nudge_on_completion: next.nudge,
        require_acks: next.acks,
        objective: next.objective,
        revision: next.revision,
      },
      then: (answer) => {
        expect(
          Object.entries<string[]>(answer.permissions)
            .flatMap(([category, actions]) => actions.map((action) => `${category}.${action}`))
            .sort(),
        ).toEqual([...next.permissions].sort());
        this.config = next;
        if (!same) this.count("manager_config_recorded");
      },
    };
  }

  private override(words: string[], permissions: Set<string>): void {
    const { random } = this;
    if (!random.chance(0.3)) return;
    const overrides: Record<string, unknown> = {};
    if (random.chance(0.5)) {
      const category = random.pick(Object.keys(ACTIONS));
      const actions = random.some(ACTIONS[category]!);
      overrides[category] = [...actions, "fly"];
      for (const action of ACTIONS[category]!) permissions.delete(`${category}.${action}`);
      for (const action of actions) permissions.add(`${category}.${action}`);
    }
    const name = random.pick(Object.keys(GRANTS));
    overrides[name] = random.chance(0.5);
    for (const each of GRANTS[name]!) overrides[name] ? permissions.add(each) : permissions.delete(each);
    words.push("--permissions-json", JSON.stringify(overrides));
  }

  private acknowledge(): Step {
    const role = this.random.pick(["worker", "manager"]);
    if (this.random.chance(0.2))
      return { words: [`${role}-ack`, this.task, "--from-stdin"], stdin: this.random.pick(["", "[]", "{", "1"]), exit: 1 };
    const ack = { revision: (this.acks[role]?.revision ?? 0) + 1, of: this.config?.revision ?? null };
    return {
      words: [`${role}-ack`, this.task, "--from-stdin"],
      stdin: '{"ready_to_start":true}',
      exit: 0,
      shows: { role, revision: ack.revision, manager_config_revision: ack.of },
      then: () => {
        this.acks[role] = ack;
        this.count(`${role}_ack_recorded`);
      },
    };
  }

  private handoff(): Step {
    const words = ["handoff", this.task, "--summary", "s", "--next-step", "n"];
    return {
      words,
      exit: 0,
      shows: { summary: "s", next_steps: ["n"] },
      then: () => void (this.handoffs++, this.count("worker_handoff_recorded")),
    };
  }

  private propose(): Step {
    const [proposer, turn] = [this.random.pick(["worker", "manager"]), this.random.pick(TURNS)];
    const words = ["continuation", this.task, "--submit", proposer, "--from-stdin", "--correlation-id", turn];
    if (proposer === "manager" && !this.proposals.some((each) => each.proposer === "worker" && each.turn === turn))
      return { words, stdin: "{}", exit: 1 };
    const revision = this.proposals.filter((each) => each.proposer === proposer).length + 1;
    return {
      words,
      stdin: "{}",
      exit: 0,
      shows: { proposer, revision, correlation_id: turn },
      then: ({ id }) => {
        this.proposals.push({ proposer, turn, id });
        this.count("task_continuation_recorded");
      },
    };
  }

  private permits = (name: string): boolean => this.config?.permissions.has(name) === true;

  private review(): Step {
    const { random } = this;
    const turn = random.pick(TURNS);
    const [agreement, verdict, status] = [
      random.pick(["match", "compatible", "divergent"]),
      random.pick(["proceed", "amend", "stop"]),
      random.pick(["failed", "succeeded"]),
    ];
    const words = ["continuation", this.task, "--review", "--from-stdin", "--correlation-id", turn];
    const stdin = JSON.stringify({
      agreement,
      verdict,
      rationale: "r",
      subagent_run: { reviewer_session_id: "a", manager_session_id: random.chance(0.1) ? "a" : "b", manager_rollout_access: false, status },
    });
    const last = (proposer: string) => this.proposals.findLast((each) => each.turn === turn && each.proposer === proposer);
    const [worker, manager] = [last("worker"), last("manager")];
    if (!this.permits("context.spawn_reviewer") || !worker || !manager || stdin.includes('"manager_session_id":"a"'))
      return { words, stdin, exit: 1 };
    const routing = (verdict === "stop" && status === "failed") || (agreement === "divergent" && this.config!.nudge !== "auto-proceed");
    return {
      words,
      stdin,
      exit: 0,
      shows: {
        agreement,
        verdict,
        operator_routing_required: routing,
        worker_continuation_id: worker.id,
        manager_continuation_id: manager.id,
      },
      then: () => {
        this.reviews.push({ verdict, turn });
        this.count("continuation_review_recorded");
      },
    };
  }

  private runEpilogue(): Step {
    const step = this.random.pick(STEPS);
    const words = ["epilogue", this.task, "--step", step, "--json"];
    if (!this.config?.epilogues.includes(step)) return { words, exit: 1 };
    const review = this.reviews.at(-1);
    // Permission to open pull requests would ask gh, which is not the business of a model.
    const ok =
      step === "draft-pr" ||
      (step === "record-handoff"
        ? this.handoffs > 0
        : review !== undefined && review.verdict !== "stop" && this.permits("context.spawn_reviewer"));
    return {
      words,
      exit: 0,
      then: (answer) => {
        this.epilogue.set(step, ok);
        this.count("epilogue_step_recorded");
        expect(answer.status).toMatchObject({ required_steps: this.config!.epilogues, missing_or_incomplete: this.missingSteps() });
        expect(answer.runs.at(-1)).toMatchObject({ step_name: step, state: ok ? "succeeded" : "failed" });
      },
    };
  }

  private missingSteps = (): string[] => (this.config?.epilogues ?? []).filter((step) => this.epilogue.get(step) !== true);

  private decide(): Step {
    const kind = this.random.pick(["wait", "nudge", "stop"]);
    return {
      words: ["record-decision", this.task, kind, "--reason", "r"],
      exit: 0,
      shows: { decision: kind, manager_cycle_id: null },
      then: ({ id }) => {
        this.decisions.push({ id, kind });
        this.count("manager_decision_recorded");
      },
    };
  }

  private ask(): Step {
    const name = this.random.pick(Object.keys(GRANTS));
    const handoff = this.random.chance(0.3);
    const must = this.random.chance(0.5);
    const reasons = [
      ...(!this.config ? ["missing_manager_config"] : GRANTS[name]!.every(this.permits) ? [] : ["permission_not_enabled"]),
      ...(handoff && this.handoffs === 0 ? ["missing_worker_handoff"] : []),
    ];
    const words = ["manager-permission", this.task, name, ...(handoff ? ["--require-handoff"] : []), ...(must ? ["--require"] : [])];
    return {
      words,
      exit: must && reasons.length > 0 ? 1 : 0,
      shows: { allowed: reasons.length === 0, reasons },
      then: () => this.count("manager_permission_checked"),
    };
  }

  private list(): Step {
    const role = this.random.pick(["all", "worker", "manager", "reviewer"]);
    const seen = (each: { proposer: string; turn: string; id: number }): boolean => {
      if (role === "manager")
        return each.proposer === "manager" || this.proposals.some((other) => other.proposer === "manager" && other.turn === each.turn);
      return role !== "worker" || each.proposer === "worker" || this.reviewed.has(each.id);
    };
    return {
      words: ["continuation", this.task, "--list", "--include-payload", "--as-role", role],
      exit: 0,
      then: (answer) =>
        expect(answer.continuations.map((row: { payload?: object }) => row.payload !== undefined)).toEqual(this.proposals.map(seen)),
    };
  }

  /** Ids of the manager's proposals that a review was made of; kept by whoever runs the steps. */
  readonly reviewed = new Set<number>();

  private finish(): Step {
    const { random } = this;
    const flags = random.some(["--require-adversarial-proof", "--require-criteria-audit", "--require-acks", "--require-epilogue"]);
    const decision = this.decisions.length > 0 && random.chance(0.6) ? random.pick(this.decisions) : null;
    const strict = random.chance(0.3);
    const words = [
      "finish-task",
      this.task,
      ...flags,
      ...(strict ? ["--strict-decisions"] : []),
      ...(decision ? ["--decision-id", String(decision.id)] : []),
    ];
    const open = this.criteria.filter((row) => row.status === "accepted");
    const acknowledged = this.acks.worker !== null && this.acks.manager !== null;
    if (this.done) return { words, exit: 1 };
    if (flags.includes("--require-adversarial-proof") && !this.criteria.some((row) => row.status === "satisfied" && row.proof))
      return { words, exit: 1 };
    if (strict && decision?.kind !== "stop") return { words, exit: 1 };
    const gate =
      flags.includes("--require-criteria-audit") && open.length > 0
        ? "final_criteria_audit"
        : (flags.includes("--require-acks") || this.config?.acks) && !acknowledged
          ? "final_ack_audit"
          : flags.includes("--require-epilogue") && this.missingSteps().length > 0
            ? "final_epilogue_audit"
            : null;
    if (gate) return { words, exit: 1, then: () => void (this.commands.push("failed"), this.count("finish_task_failed")) };
    return {
      words,
      exit: 0,
      shows: {
        finish: true,
        final_audit: { open_criteria: open.map(({ id, text }) => ({ id, criterion: text })), summary: this.summary() },
        final_ack_audit: { ok: acknowledged },
        final_epilogue_audit: { missing_or_incomplete: this.missingSteps() },
      },
      then: (answer) => {
        this.done = true;
        this.commands.push("succeeded");
        this.decisions.push({ id: answer.final_decision_id, kind: "stop" });
        for (const type of ["finish_task_intent", "finish_task_criteria_audit", "finish_task_succeeded"]) this.count(type);
      },
    };
  }

  private stop(): Step {
    const words = ["stop-task", this.task];
    if (this.done || this.random.chance(0.5)) return { words: [...words, "--strict-decisions"], exit: 1 };
    return {
      words,
      exit: 0,
      shows: { finish: false, final_decision_id: null },
      then: () =>
        void ((this.done = true), this.commands.push("succeeded"), this.count("stop_task_intent"), this.count("stop_task_succeeded")),
    };
  }
}

const face = ({ revision: _, permissions, ...rest }: Config) => ({ ...rest, permissions: [...permissions].sort() });
