/** `dashboard`: the page in the browser, served by this program to this machine alone. */
import { flag, integer, text, verb } from "../args/spec.ts";
import type { Context } from "../context.ts";
import { planDashboard } from "../core/dashboard-plan.ts";
import { UsageError } from "../core/failure.ts";
import { quoteCommand } from "../core/shell.ts";
import { resumeFlags, resumeWords } from "../flow/dispatch/resume-flags.ts";

export default verb(
  {
    about:
      "Serves the page that shows every task and pair live, with both terminals, and acts on them. It listens " +
      "on this machine alone; the address it prints carries the key that lets a browser in. Ends on Ctrl-C.",
    examples: [
      ["dashboard --open", "serve it, and show it in the browser"],
      ["dashboard --task login-fix --ensure-dispatch", "begin at one task, with a Dispatch running beside it"],
      ["dashboard --dry-run --json", "what it would start"],
    ],
    flags: {
      task: text("show this task first", { value: "TASK", filled: true }),
      host: text("address to listen on: 127.0.0.1, localhost or ::1", { default: "127.0.0.1", value: "HOST" }),
      port: integer("port to listen on", { default: 8797, min: 1, max: 65535, value: "PORT" }),
      workerctlPath: text("program that runs Dispatch (this one unless given)", { value: "FILE", filled: true }),
      dbPath: text("database file instead of the one below the state root", { value: "FILE", alias: ["path"] }),
      ensureDispatch: flag("start a Dispatch unless one of this id is alive; it ends with the dashboard"),
      dispatcherId: text("id of that Dispatch", { default: "dispatch-dashboard", value: "ID", filled: true }),
      ...resumeFlags,
      open: flag("show the page in the browser"),
      dryRun: flag("only print what would be started"),
      json: flag("print JSON"),
    },
  },
  async (args, cx: Context) => {
    if (args.dbPath?.trim() === "") throw new UsageError("--db-path must not be empty");
    const plan = planDashboard({
      ...args,
      resume: resumeWords(args),
      program: cx.program,
      dbPath: args.dbPath === undefined ? undefined : cx.path(args.dbPath),
      workerctlPath: args.workerctlPath?.includes("/") ? cx.path(args.workerctlPath) : args.workerctlPath,
    });
    if (args.dryRun) {
      if (args.json) return cx.json(plan);
      cx.out(quoteCommand(plan.command));
      cx.out(plan.url);
      if (plan.dispatch_command) cx.out(quoteCommand(plan.dispatch_command));
      return;
    }
    const { runDashboard } = await import("../dashboard/run.ts");
    await runDashboard(cx, plan, {
      path: args.dbPath,
      dispatcherId: args.dispatcherId,
      ownProgram: args.workerctlPath !== undefined,
      open: args.open,
      json: args.json,
    });
  },
);
