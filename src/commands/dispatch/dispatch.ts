/** `dispatch`: carries queued messages and ended turns to the sessions they are for. */
import { choice, choiceWord, flag, integer, number, pathFlag, text, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { UsageError } from "../../core/failure.ts";
import { SIGNAL_TYPES } from "../../core/dispatch/queued-command.ts";
import { dispatchStatus } from "../../flow/dispatch/status.ts";
import { resumeAfterMs, resumeFlags } from "../../flow/dispatch/resume-flags.ts";
import { runDispatch } from "../../flow/dispatch/run-dispatch.ts";
import { statusText, summaryText } from "../../view/dispatch/dispatch.ts";

export default verb(
  {
    about:
      "Carries queued messages, and the news that a worker ended a turn, to the session each is for: said by its agent's " +
      "own protocol, typed into its tmux session, or laid into its inbox. One pass unless --watch. Exit 0 also when single items fail: " +
      "look at their state.",
    examples: [
      ["dispatch --once --json", "one pass, with what it did"],
      ["dispatch --watch", "keep at it until interrupted"],
      ["dispatch --watch --resume-limits", "and have sessions go on by themselves after a usage limit"],
      ["dispatch status --json", "who runs, since when, what is pending, claimed, uncertain"],
    ],
    positionals: {
      action: choiceWord("instead of dispatching, say who dispatches, what waits, what is claimed and what is uncertain", ["status"], {
        optional: true,
      }),
    },
    flags: {
      once: flag("one pass (the default)"),
      watch: flag("keep at it"),
      ingest: flag("read the rollouts of bound workers first, so that their ended turns are known; a watch always does"),
      limit: integer("most items of one pass; 0 counts as 1", { default: 10 }),
      interval: number("with --watch: the longest sleep between two passes", { default: 2, value: "SECONDS" }),
      watchIterations: integer("with --watch: stop after this many passes", { min: Number.MIN_SAFE_INTEGER }),
      leaseSeconds: integer("how long a claim holds; at least 1", { default: 60, value: "SECONDS" }),
      dispatcherId: text("name of this dispatcher in the records", { default: "dispatch-local", value: "ID", filled: true }),
      type: choice("only this kind of work", SIGNAL_TYPES),
      ...resumeFlags,
      dryRun: flag("say what would be done, write nothing"),
      json: flag("print JSON"),
      path: pathFlag,
    },
    exclusive: [{ of: ["once", "watch"] }, { of: ["type", "resumeLimits"] }],
  },
  async (args, cx: Context) => {
    if (args.action === "status") {
      if (args.once || args.watch || args.dryRun || args.ingest || args.type !== undefined || args.resumeLimits)
        throw new UsageError("status takes only --json and --path");
      const status = await dispatchStatus(cx, cx.store(args.path));
      return args.json ? cx.json(status) : cx.out(statusText(status));
    }
    const { states, ...summary } = await runDispatch(cx, cx.store(args.path), {
      dispatcherId: args.dispatcherId,
      leaseSeconds: Math.max(1, args.leaseSeconds),
      only: args.type,
      limit: Math.max(1, args.limit),
      dryRun: args.dryRun,
      watch: args.watch,
      ingest: args.ingest,
      intervalSeconds: args.interval,
      resumeAfterMs: resumeAfterMs(args),
      iterations: args.watchIterations === undefined ? undefined : Math.max(1, args.watchIterations),
    });
    if (args.json) cx.json(summary);
    else cx.out(summaryText({ ...summary, states }));
  },
);
