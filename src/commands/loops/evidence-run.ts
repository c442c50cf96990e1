/** `evidence run`: runs a command itself and records what it did as the proof of a criterion. */
import { choice, flag, integer, number, pathFlag, rest, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { CRITERION_SOURCES } from "../../core/tasks/criteria.ts";
import { notSeenLine, proofSentence, succeeded } from "../../core/loops/evidence-run.ts";
import { Failure, UsageError } from "../../core/failure.ts";
import { quoteWord } from "../../core/shell.ts";
import { needIteration, needType } from "../../core/loops/evidence.ts";
import { ADVERSARIAL_CHECK } from "../../core/loops/loop-run.ts";
import { EVIDENCE_TYPES } from "../../core/loops/templates.ts";
import { runEvidence, TAIL_LINES } from "../../flow/loops/evidence-run.ts";
import { runToldOutside } from "../../flow/loops/told-outside.ts";
import { worktreeElsewhere } from "../../flow/worktrees/elsewhere.ts";
import { isClosed } from "../../flow/worktrees/errand.ts";
import { needCriterion } from "../../store/tasks/criteria.ts";
import { needLoopRun } from "../../store/loops/runs.ts";
import { needTask } from "../../store/tasks/tasks.ts";

export default verb(
  {
    about:
      "Runs a command (its words as given, no shell) and records it as the proof of a criterion: command, folder, git " +
      "HEAD and the digest of what the files hold, start, duration, exit status, digest and last lines of its output, secrets " +
      "masked. Exit status 0 satisfies the criterion, which is then machine-proven for as long as HEAD and the files " +
      "stay as they were; what is ignored, or larger than 64 MB, is named and not read. With " +
      "--loop-run, --iteration and --type it is evidence for an iteration of a loop as well.",
    examples: [
      ["evidence run login-fix --criterion 3 -- bun test", "prove criterion 3"],
      [
        "evidence run login-fix --loop-run coverage --iteration 1 --type build_passed --timeout 600 -- make -j4",
        "evidence for a loop, ended after ten minutes",
      ],
    ],
    positionals: { task: word("name or id of the task"), command: rest("the command and its arguments, after --", { required: true }) },
    flags: {
      criterion: integer("the criterion to prove; without it the loop's own for this iteration and type", { value: "ID", min: 1 }),
      loopRun: text("the loop run, by id or name", { value: "RUN" }),
      iteration: integer("the iteration of the loop", { min: Number.MIN_SAFE_INTEGER }),
      type: text("what it proves for the loop, for instance build_passed", { value: "TYPE", suggest: EVIDENCE_TYPES }),
      cwd: text("folder to run it in (default: the current one)", { value: "DIR", filled: true }),
      timeout: number("end it after this long; it counts as failed then", { value: "SECONDS" }),
      lines: integer("how many of the last lines of output to keep", { default: TAIL_LINES, max: 200 }),
      source: choice("where the evidence of a loop comes from", CRITERION_SOURCES, { default: "manager_inferred" }),
      correlationId: text("id that ties this to other records", { value: "ID" }),
      json: flag("print JSON"),
      path: pathFlag,
    },
  },
  async (args, cx: Context) => {
    const { criterion: criterionId, loopRun, iteration, type, timeout } = args;
    const looped = [loopRun, iteration, type].filter((given) => given !== undefined).length;
    if (looped !== 0 && looped !== 3) throw new UsageError("--loop-run, --iteration and --type go together");
    if (looped === 0 && criterionId === undefined)
      throw new UsageError("--criterion is required, or --loop-run with --iteration and --type");
    if (timeout === 0) throw new UsageError("--timeout must be more than 0");
    if (type?.trim() === ADVERSARIAL_CHECK)
      throw new Failure(`a command alone is no ${ADVERSARIAL_CHECK}: it lacks the failure mode and what the result means`, {
        hint: `${cx.program} loop-evidence adversarial-check --help`,
      });
    const store = cx.store(args.path);
    const task = needTask(store, args.task);
    if (criterionId !== undefined) needCriterion(store, task, criterionId);
    const target =
      looped === 0 ? undefined : { loop: needLoopRun(store, task, loopRun!), iteration: needIteration(iteration!), type: needType(type!) };
    const input = {
      command: args.command,
      folder: cx.path(args.cwd ?? "."),
      timeoutMs: timeout === undefined ? undefined : Math.ceil(timeout * 1000),
      tailLines: args.lines,
      criterionId,
      target,
      source: args.source,
      correlationId: args.correlationId,
    };
    const scene = { cx, store, task };
    const { run, criterion, notSeen } = isClosed(cx, args.path)
      ? await runToldOutside(scene, input, { named: { loopRun, iteration, type }, path: args.path })
      : await runEvidence(scene, input);
    const passed = succeeded(run);
    if (args.json) cx.json({ evidence_run: run, criterion, machine_proven: passed, not_seen: notSeen });
    else {
      cx.out(proofSentence(run));
      cx.out(`criterion ${criterion.id} (${criterion.criterion}) is ${criterion.status}${passed ? ", machine-proven" : ""}`);
      if (!passed && run.output_tail !== "") cx.err(run.output_tail);
    }
    const elsewhere = worktreeElsewhere(store, task, run.folder);
    if (elsewhere !== null)
      cx.err(`note: it ran in ${run.folder}, not where ${elsewhere.worker} works: --cwd ${quoteWord(elsewhere.path)} proves that tree`);
    const unseen = notSeen && notSeenLine(notSeen);
    if (unseen) cx.err(unseen);
    if (run.tree === null) cx.err("hint: no git repository there, so nobody can tell later whether the proof still holds");
    else if (run.tree_changed)
      cx.err("hint: the tree changed while the command ran, so the proof is stale already; run it again on a tree that stays as it is");
    return passed ? 0 : 1;
  },
);
