/** `dispatch`: carries queued messages and ended turns to the sessions they are for. */
import { choice, choiceWord, flag, integer, number, pathFlag, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { UsageError } from "../../core/failure.ts";
import { SIGNAL_TYPES } from "../../core/dispatch/queued-command.ts";
import { dispatchStatus } from "../../flow/dispatch/status.ts";
import { resumeAfterMs, resumeFlags } from "../../flow/dispatch/resume-flags.ts";
import { runDispatch } from "../../flow/dispatch/run-dispatch.ts";
import { stopDispatch } from "../../flow/dispatch/stop-dispatch.ts";
import { statusText, summaryText } from "../../view/dispatch/dispatch.ts";

/** What a timer can count. */
const LONGEST_SECONDS = 2_000_000;

export default verb(
  {
    about:
      "Carries queued messages, and the news that a worker ended a turn, to the session each is for: said by its agent's " +
      "own protocol, typed into its tmux session, or laid into its inbox. One pass unless --watch. Exit 0 also when single items fail: " +
      "look at their state. `stop` has a watch end: what it is sending is finished, and the command waits until the watch is gone.",
    examples: [
      ["dispatch --once --json", "one pass, with what it did"],
      ["dispatch --watch", "keep at it until interrupted"],
      ["dispatch --watch --no-digest", "tell managers of each ended turn at once, also while they work"],
      ["dispatch --watch --resume-limits", "and have sessions go on by themselves after a usage limit"],
      ["dispatch status --json", "who runs, since when, what is pending, claimed, uncertain"],
      ["dispatch stop", "end the one that runs, once it has finished what it is sending"],
    ],
    positionals: {
      action: choiceWord(
        "instead of dispatching: `status` says who dispatches, what waits, what is claimed and what is uncertain, `stop` ends a watch",
        ["status", "stop"],
        { optional: true },
      ),
      id: word("with stop: which watch, by its --dispatcher-id; else the only one", { optional: true }),
    },
    flags: {
      once: flag("one pass (the default)"),
      watch: flag("keep at it"),
      ingest: flag("read the rollouts of bound workers first, so that their ended turns are known; a watch always does"),
      limit: integer("most items of one pass; 0 counts as 1", { default: 10 }),
      interval: number("with --watch: the longest sleep between two passes", { default: 2, value: "SECONDS" }),
      watchIterations: integer("with --watch: stop after this many passes", { min: Number.MIN_SAFE_INTEGER }),
      untilUnbound: number("with --watch: end when no task has been bound for so long", { value: "SECONDS", max: LONGEST_SECONDS }),
      unlessRunning: flag(
        "with --watch: end at once when a watch of this --dispatcher-id runs already; of two that begin at once one stays",
      ),
      timeoutSeconds: integer("with stop: how long to wait until it is gone", { default: 120, value: "SECONDS" }),
      leaseSeconds: integer("how long a claim holds; at least 1", { default: 60, value: "SECONDS" }),
      dispatcherId: text("name of this dispatcher in the records", { default: "dispatch-local", value: "ID", filled: true }),
      type: choice("only this kind of work", SIGNAL_TYPES),
      noDigest: flag(
        "with --watch: tell a manager of each ended turn by itself and at once, also while it works; else what comes meanwhile is told " +
          "as one message when it rests",
      ),
      ...resumeFlags,
      dryRun: flag("say what would be done, write nothing"),
      json: flag("print JSON"),
      path: pathFlag,
    },
    exclusive: [{ of: ["once", "watch"] }, { of: ["type", "resumeLimits"] }],
  },
  async (args, cx: Context) => {
    if (
      args.action !== undefined &&
      (args.once || args.watch || args.dryRun || args.ingest || args.resumeLimits || args.type !== undefined)
    )
      throw new UsageError(`${args.action} takes only --json and --path${args.action === "stop" ? ", and --timeout-seconds" : ""}`);
    if (args.action !== "stop" && args.id !== undefined) throw new UsageError("only stop takes the name of a watch");
    if (args.unlessRunning && !args.watch) throw new UsageError("--unless-running goes with --watch");
    if (args.noDigest && !args.watch) throw new UsageError("--no-digest goes with --watch: a single pass tells each message by itself");
    if (args.untilUnbound !== undefined && !args.watch) throw new UsageError("--until-unbound goes with --watch");
    if (args.action === "stop") {
      const stopped = await stopDispatch({ cx, store: cx.store(args.path) }, args.id ?? null, args.timeoutSeconds);
      if (args.json) return cx.json({ stopped });
      for (const { dispatcher_id, pid } of stopped) cx.out(`Dispatch ${dispatcher_id} (process ${pid}) has ended`);
      return;
    }
    if (args.action === "status") {
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
      digests: args.watch && !args.noDigest,
      ingest: args.ingest,
      intervalSeconds: args.interval,
      resumeAfterMs: resumeAfterMs(args),
      untilUnboundSeconds: args.untilUnbound ?? null,
      unlessRunning: args.unlessRunning,
      iterations: args.watchIterations === undefined ? undefined : Math.max(1, args.watchIterations),
    });
    if (args.json) cx.json(summary);
    else cx.out(summaryText({ ...summary, states }));
  },
);
