/** `revive`: after a restart, everybody whose end nobody asked for goes on with its own conversation. */
import { flag, pathFlag, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { UsageError } from "../../core/failure.ts";
import { resumeFlags, resumeWords } from "../../flow/dispatch/resume-flags.ts";
import { needPerson } from "../../flow/reach/asker.ts";
import { BESIDE_ID, besideCommand } from "../../flow/sessions/beside.ts";
import { nextCommand } from "../../flow/reach/next-command.ts";
import { type Revival, revive, unasked } from "../../flow/sessions/revive.ts";
import { deadSessions } from "../../flow/sessions/reconcile.ts";
import { needTask } from "../../store/tasks/tasks.ts";

export default verb(
  {
    about:
      "After a restart of the machine or of tmux: starts every session again whose end nobody asked for (no stop, no finish, no " +
      "deregister; also those that reconcile has marked gone), on its own conversation, as its start was recorded, in its folder, " +
      "under its name. Its binding is active again once both ends are up, acknowledgements stay, and a Dispatch runs. A turn that was " +
      "cut off is told and not gone on with by itself. Bare, those that are bound on a task; one that cannot be revived keeps no other " +
      "from it, and makes the exit status 1. Interrupted or killed, the same command goes on. Only a person revives; " +
      "an agent may ask with --dry-run who it would be.",
    examples: [
      ["revive", "everybody who was bound"],
      ["revive login-fix", "worker and manager of one task"],
      ["revive --resume-limits", "and its Dispatch goes on with turns that die of a usage limit, as that of pair --resume-limits did"],
      ["revive --all --dry-run", "who would be revived, those on no task, too"],
    ],
    positionals: { task: word("only the sessions of this task, by id or name", { optional: true }) },
    flags: {
      all: flag("also sessions that stand in no binding"),
      dryRun: flag("say who would be revived; start nothing, write nothing"),
      ...resumeFlags,
      json: flag("print JSON"),
      path: pathFlag,
    },
  },
  async (args, cx: Context) => {
    if (args.all && args.task !== undefined) throw new UsageError("--all takes no task");
    const more = resumeWords(args);
    const store = cx.store(args.path);
    const extent = args.task !== undefined ? { taskId: needTask(store, args.task).id } : args.all ? "all" : "bound";
    if (!args.dryRun) {
      const which = args.all ? ["--all"] : args.task === undefined ? [] : [args.task];
      await needPerson(cx, store, "brings sessions back", nextCommand(cx, store, "revive", ...which, ...more));
    }
    const done = await revive({ cx, store }, extent, args.dryRun, { command: besideCommand(cx, BESIDE_ID, args.path, more), flags: more });
    const rest = extent === "bound" ? unasked({ cx, store }, await deadSessions(cx, store), "all").filter(({ task }) => task === null) : [];
    if (rest.length > 0)
      cx.err(`note: bound on no task: ${rest.map(({ session }) => session.name).join(", ")}; ${nextCommand(cx, store, "revive", "--all")}`);
    if (args.json) cx.json(done);
    else for (const line of linesOf(done)) cx.out(line);
    return done.failed.length === 0 ? 0 : 1;
  },
);

function linesOf({ dry_run, revived, failed, bound, dispatch }: Revival): string[] {
  const lines = [
    ...revived.map(({ session, tmux_session, turn_cut_off }) => {
      const where = dry_run ? "would go on with its conversation" : `goes on with its conversation, in tmux session ${tmux_session}`;
      return `${session} ${where}${turn_cut_off ? "; its last turn was cut off, and is not gone on with by itself" : ""}`;
    }),
    ...failed.map(({ session, reason, next }) => `${session} was not revived: ${reason}\n  next: ${next}`),
    ...bound.map((task) => `task ${task} is bound again`),
    ...(dispatch.started ? [`Dispatch was started (process ${dispatch.pid})`] : []),
  ];
  return lines.length > 0 ? lines : ["nobody is to be revived"];
}
