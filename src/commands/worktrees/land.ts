/** `land`: merges a worker's branch, proves the merge, and only then moves the branch it goes into. */
import { flag, number, pathFlag, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { UsageError } from "../../core/failure.ts";
import { quoteWord } from "../../core/shell.ts";
import { plainOrder } from "../../core/tasks/finish.ts";
import { finishTask } from "../../flow/tasks/finish.ts";
import { talkOf } from "../../flow/talk.ts";
import { land } from "../../flow/landing/land.ts";
import { needTask } from "../../store/tasks/tasks.ts";
import { landText } from "../../view/land.ts";

export default verb(
  {
    about:
      "Merges the branch of a task's worker in a folder of its own, runs every machine proof of the task's criteria (evidence run) " +
      "on the result, and moves BRANCH there only when all hold: together with the working tree that is on it, or not at all. What the " +
      "worker has not committed is committed on its branch first. It refuses while an accepted criterion is open or the worker's turn is, " +
      "on a conflict, where a working tree on BRANCH has changes of its own, and where a proof cannot be made on the merge (one that was " +
      "stored with a secret masked, or names a path outside). When BRANCH moves meanwhile it begins once more. The proofs are the " +
      "worker's code, and run with your rights. Git runs no hook, filter or other program that the repository names. A person may " +
      "land, and the manager of the task whom a person granted operator.land; never the worker itself.",
    examples: [
      ["land login-fix", "into the branch that the worktree was made from"],
      ["land login-fix --into main --squash --message 'Logging in works again' --finish", "as one commit, and the task is done"],
      ["land login-fix --dry-run --json", "merge and prove, and move and record nothing"],
    ],
    positionals: { task: word("task id or name") },
    flags: {
      into: text("where the work goes (default: the branch that the worktree was made from)", { value: "BRANCH", filled: true }),
      squash: flag("one commit on BRANCH instead of a merge"),
      message: text("of the merge, or of the one commit", { filled: true }),
      setup: text("run before the proofs, in the merge (default: the worktree's own; '' for none)", { value: "CMD" }),
      timeout: number("end a proof after this long; it counts as failed then (default: ten times what it took, and ten minutes at least)", {
        value: "SECONDS",
      }),
      hooks: flag(
        "let the repository's own hooks run: pre-merge-commit on the merge, reference-transaction, post-merge where BRANCH is checked out",
      ),
      finish: flag("finish the task when it has landed"),
      dryRun: flag("merge and prove only"),
      json: flag("print the result as JSON"),
      path: pathFlag,
    },
  },
  async (args, cx: Context) => {
    if (args.timeout === 0) throw new UsageError("--timeout must be more than 0");
    if (args.finish && args.dryRun) throw new UsageError("--finish and --dry-run: a task is not finished by a trial");
    const store = cx.store(args.path);
    const scene = { cx, store, task: needTask(store, args.task) };
    const talk = talkOf(cx, `${cx.program} land`);
    const { result, hint } = await land(
      scene,
      {
        into: args.into,
        squash: args.squash,
        message: args.message ?? null,
        setup: args.setup,
        timeoutMs: args.timeout === undefined ? null : Math.ceil(args.timeout * 1000),
        dryRun: args.dryRun,
        hooks: args.hooks,
      },
      (what) => talk.info(what),
    );
    let unfinished: unknown = null;
    const finish = args.finish && result.refused === null && scene.task.state !== "done";
    if (finish)
      await finishTask(scene, {
        ...plainOrder("finish", `Landed on ${result.into} at ${result.after}.`),
        requireCriteriaAudit: true,
      }).catch((error: unknown) => (unfinished = error));
    const told = { ...result, finished: finish && unfinished === null };
    if (args.json) cx.json(told);
    else if (told.refused === null) cx.out(landText(told));
    if (told.refused !== null) {
      cx.err(`${cx.program}: not landed: ${told.refused}`);
      if (hint !== undefined) cx.err(`hint: ${hint}`);
      return 1;
    }
    if (unfinished !== null) throw unfinished;
    if (!args.json && told.landed && !told.finished && scene.task.state !== "done")
      cx.err(`hint: the task is still open: ${cx.program} finish-task ${quoteWord(scene.task.name)}`);
    return 0;
  },
);
