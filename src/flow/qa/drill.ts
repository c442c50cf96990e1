/** A QA drill at work: real commands against a private database, checks, and what the receipt tells of them. */
import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";
import type { Context } from "../../context.ts";
import { Failure } from "../../core/failure.ts";
import type { JsonObject } from "../../core/json.ts";
import type { GeneratedTask, QaCheck, QaRun } from "../../core/qa/receipt.ts";
import { quoteCommand } from "../../core/shell.ts";
import { listInbox } from "../../store/dispatch/inbox.ts";
import { openIterations, routedCount } from "../../store/qa-drills.ts";
import type { Store } from "../../store/store.ts";
import { runProgram } from "../../system/processes/run.ts";
import { selfArgv } from "../../system/processes/self.ts";
import { writeWhole } from "../../system/files/whole-file.ts";

const COMMAND_MS = 60_000;
const LEASE_SECONDS = "60";

/** A bound task of the drill, with its loop run. */
export interface Setting {
  readonly task: string;
  readonly runId: string;
  readonly runName: string;
  readonly workerId: string;
  readonly metadata: JsonObject;
}

interface Policy {
  readonly template?: string;
  /** Evidence types without a template. */
  readonly gates?: readonly string[];
  readonly max: number;
  readonly seed?: string;
}

/** What a request for iteration 2 must come to. */
type Expected = { readonly reason: string; readonly missing: readonly string[] } | "delivered";

interface Ran {
  readonly returncode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class Drill {
  readonly checks: QaCheck[] = [];
  readonly tasks: GeneratedTask[] = [];
  readonly replay: string[] = [];
  readonly artifacts: Record<string, string>;
  private readonly slug = randomBytes(4).toString("hex");

  constructor(
    readonly cx: Context,
    readonly store: Store,
    readonly scenario: QaRun,
    readonly dispatcherId: string,
    private readonly receiptFolder: string,
  ) {
    this.artifacts = { db_path: store.path };
  }

  /** The words with the drill's database, where the command has one. */
  private onDatabase(words: readonly string[]): string[] {
    return words[0] === "loop-triggers" ? [...words] : [...words, "--path", this.store.path];
  }

  /** The command line as a person would type it. */
  private line(words: readonly string[]): string {
    return quoteCommand([this.cx.program, ...this.onDatabase(words)]);
  }

  /** Runs one of our own commands on the drill's database. */
  async conveyor(...words: string[]): Promise<Ran> {
    const { cx, store } = this;
    this.replay.push(this.line(words));
    cx.err(`$ ${this.line(words)}`);
    const env = { ...cx.env, WORKERCTL_STATE_ROOT: dirname(store.path), CONVEYOR_CLI_PROG: cx.program };
    const done = await runProgram([...selfArgv(), ...this.onDatabase(words)], { env, cwd: dirname(store.path), timeoutMs: COMMAND_MS });
    if (done.code === null) throw new Failure(`${this.line(words)} did not end by itself`);
    return { returncode: done.code, stdout: done.stdout, stderr: done.stderr };
  }

  /** Runs a command that must succeed and gives the JSON it printed. */
  async must(...words: string[]): Promise<JsonObject> {
    const done = await this.conveyor(...words);
    if (done.returncode !== 0) throw new Failure(`${this.line(words)} ended with ${done.returncode}: ${done.stderr.trim()}`);
    return JSON.parse(done.stdout) as JsonObject;
  }

  passed(check: Record<string, unknown> & { readonly name: string }): void {
    this.checks.push({ ...check, status: "passed" });
    this.cx.err(`passed: ${check.name}`);
  }

  expect(holds: boolean, check: string, seen: string): void {
    if (!holds) throw new Failure(`check ${check}: ${seen}`);
  }

  taskName(suffix: string): string {
    return `qa-${suffix}-${this.slug}`;
  }

  /** A task with nobody on it. */
  async task(suffix: string): Promise<string> {
    const name = this.taskName(suffix);
    const { id } = await this.must("tasks", "--create", name, "--goal", `QA drill ${this.scenario}`);
    this.tasks.push({
      suffix,
      task_id: String(id),
      task_name: name,
      binding_id: null,
      worker_id: null,
      worker_name: null,
      manager_id: null,
      manager_name: null,
    });
    return name;
  }

  /** A task with two sessions that pull, and a loop run at iteration 1. */
  async bind(suffix: string, policy: Policy): Promise<Setting> {
    const task = this.taskName(suffix);
    const runName = `${task}-run`;
    const gates = policy.gates ?? [];
    const looped = policy.template !== undefined || gates.length > 0;
    const made = await this.must(
      "create-disposable-binding",
      task,
      ...["--goal", `QA drill ${this.scenario}`, "--session-dir", join(dirname(this.store.path), "qa-sessions")],
      ...(policy.template === undefined ? [] : ["--template", policy.template]),
      ...gates.flatMap((gate) => ["--required-before-continue", gate]),
      ...(looped ? ["--run-name", runName, "--max-iterations", String(policy.max)] : []),
      ...(looped && policy.seed !== undefined ? ["--seed-prompt-sha256", policy.seed] : []),
      "--json",
    );
    const [binding, worker, manager] = [made.binding, made.worker, made.manager] as { id: string; name: string }[];
    this.tasks.push({
      suffix,
      task_id: (made.task as { id: string }).id,
      task_name: task,
      binding_id: binding!.id,
      worker_id: worker!.id,
      worker_name: worker!.name,
      manager_id: manager!.id,
      manager_name: manager!.name,
    });
    // A policy without any gate is made by hand: create-disposable-binding makes no run for it.
    const bare = { max_iterations: policy.max, current_iteration: 1, seed_prompt_sha256: policy.seed ?? null };
    const run = looped
      ? made.run
      : await this.must("runs", "--create", task, "--name", runName, "--purpose", "ralph_loop", "--metadata-json", JSON.stringify(bare));
    const { id, metadata } = run as { id: string; metadata: JsonObject };
    return { task, runId: id, runName, workerId: worker!.id, metadata };
  }

  /** Evidence of iteration 1, through `loop-evidence add`. */
  evidence({ task, runId }: Setting, type: string, ...more: string[]): Promise<JsonObject> {
    return this.must("loop-evidence", "add", task, "--loop-run", runId, "--iteration", "1", "--evidence-type", type, ...more);
  }

  /** A whole attempt to disprove iteration 1. */
  disprove({ task, runId }: Setting, correlation: string, ...more: string[]): Promise<JsonObject> {
    const said = [
      "--failure-mode",
      "the drill would pass with a gate that never shuts",
      "--check",
      "asked for the iteration before the evidence was there",
      "--result",
      "it was blocked, and nothing reached the worker",
    ];
    return this.must(
      "loop-evidence",
      "adversarial-check",
      task,
      "--loop-run",
      runId,
      "--iteration",
      "1",
      ...said,
      "--correlation-id",
      correlation,
      ...more,
    );
  }

  /** A satisfied row that claims an attempt to disprove and says nothing about it. */
  async bareClaim({ task, runId }: Setting): Promise<void> {
    const evidence = { evidence_type: "adversarial_check", ralph_loop_run_id: runId, iteration: 1, status: "pass" };
    const text = `Ralph loop ${runId} iteration 1 adversarial_check evidence`;
    await this.must(
      "criteria",
      task,
      "--add",
      "--criterion",
      text,
      "--source",
      "manager_inferred",
      "--status",
      "satisfied",
      "--evidence-json",
      JSON.stringify(evidence),
    );
  }

  /** Asks for iteration 2 and has Dispatch do one pass; the queue must hold this request and no other. */
  async ask(
    setting: Setting,
    name: string,
    correlation: string,
    expected: Expected,
    more: (item: JsonObject) => Promise<Record<string, unknown>> = async () => ({}),
  ): Promise<void> {
    const { store } = this;
    const request = [
      "enqueue-continue-iteration",
      setting.task,
      "--loop-run",
      setting.runId,
      "--requested-iteration",
      "2",
      "--message",
      `QA drill: ${name}`,
      "--correlation-id",
      correlation,
      "--json",
    ];
    const queued = await this.must(...request);
    const open = openIterations(store).map(({ id }) => id);
    this.expect(
      open.length === 1 && open[0] === queued.command_id,
      name,
      `the queue holds ${open.join(", ") || "nothing"} instead of ${String(queued.command_id)} alone`,
    );
    const pass = [
      "dispatch",
      "--once",
      "--type",
      "continue_iteration",
      "--limit",
      "1",
      "--lease-seconds",
      LEASE_SECONDS,
      "--dispatcher-id",
      this.dispatcherId,
      "--json",
    ];
    const { processed } = (await this.must(...pass)) as { processed: JsonObject[] };
    const item = processed[0] ?? {};
    const routed = routedCount(store, String(queued.command_id));
    const waiting = listInbox(store, setting.workerId, 10).length;
    const [state, reason, missing, arrived] =
      expected === "delivered" ? ["pull_required", null, [], 1] : ["blocked", expected.reason, expected.missing, 0];
    const wanted = JSON.stringify({ processed: 1, state, reason, missing, routed: arrived, waiting: arrived });
    const seen = JSON.stringify({
      processed: processed.length,
      state: item.state,
      reason: item.reason,
      missing: item.missing_evidence,
      routed,
      waiting,
    });
    const why = item.error === undefined || item.error === null ? "" : ` (${String(item.error)})`;
    this.expect(wanted === seen, name, `expected ${wanted}, saw ${seen}${why}`);
    this.passed({
      name,
      command: `${this.line(request)} && ${this.line(pass)}`,
      dispatch: item,
      routed_notifications_count: routed,
      worker_inbox_count: waiting,
      ...(await more(item)),
    });
  }

  /** Path of an artifact of this setting, remembered under `key`. */
  artifactPath(setting: Setting, key: string, name: string): string {
    const path = join(this.receiptFolder, `${this.scenario}-artifacts`, `${this.slug}-${setting.runId}`, name);
    this.artifacts[key] = path;
    return path;
  }

  writeArtifact(setting: Setting, key: string, name: string, content: string | Uint8Array): string {
    const path = this.artifactPath(setting, key, name);
    writeWhole(path, content);
    return path;
  }
}

/** What a template's drill tells of the template. */
export const templateFacts = ({ metadata: { policy_record: _, ...metadata } }: Setting) => ({
  template: metadata.template,
  template_metadata: metadata,
});
