/** `telemetry`: what happened, as single events, as sums, and as judged views. */
import { choice, choiceWord, flag, integer, number, pathFlag, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { UsageError } from "../../core/failure.ts";
import { ACTORS, SEVERITIES } from "../../core/telemetry.ts";
import { windowSeconds } from "../../core/window.ts";
import { printJson, printLines } from "../../flow/audit/print.ts";
import { ownersOf } from "../../flow/reports/telemetry-scope.ts";
import { showView, VIEW_NAMES } from "../../flow/reports/telemetry-views.ts";
import { snapshot } from "../../store/reading.ts";
import { listTelemetry } from "../../store/reports/telemetry-list.ts";
import { summariseTelemetry } from "../../store/reports/telemetry-summary.ts";
import { Stream } from "../../view/json-stream.ts";
import { logRecords, logsDocument } from "../../view/otlp.ts";
import { eventLines, summaryLines } from "../../view/telemetry.ts";
import { VERSION } from "../../version.ts";

const LIMIT = 100;

export default verb(
  {
    about:
      "Without a view, lists telemetry events, oldest first; all filters must hold. The views: metrics counts what " +
      "happened in a window of time and how things stand; snapshot and check judge the whole state, or with --task one " +
      "task (check exits with 1 when there is an alert); task tells all about one task; failures lists what went wrong.",
    examples: [
      ["telemetry --task login-fix --severity error --newest", "the latest errors of a task"],
      ["telemetry --search 'trust prompt' --json", "events with both words"],
      ["telemetry --task login-fix --format otlp-json", "for curl to the /v1/logs of a collector"],
      ["telemetry check", "is anything wrong, for a script or a cron job"],
      ["telemetry metrics --window 7d --json", "figures of the last week"],
    ],
    positionals: {
      view: choiceWord("metrics, snapshot, check, task or failures; without one, the events", VIEW_NAMES, { optional: true }),
      view_task: word("with the view task: the task, by name or id", { optional: true }),
    },
    flags: {
      run: text("only what belongs to this run (id or name)"),
      task: text("only what belongs to this task (id or name)"),
      actor: choice("only events of this actor", ACTORS),
      eventType: text("only events of exactly this type", { value: "TYPE" }),
      severity: choice("only events of exactly this severity", SEVERITIES),
      search: text("only events in which all these words occur, or of exactly this type", { value: "WORDS" }),
      summary: flag("counts instead of events; of all that fit, unless --limit is given"),
      window: text("the last stretch of time, a number with s, m, h, d or w (metrics: 24h unless given)", { value: "LENGTH" }),
      activeOnly: flag("views over all tasks: leave out tasks that are done or failed"),
      json: flag("print JSON"),
      format: choice("events in the JSON of the OpenTelemetry protocol, as a collector takes them at /v1/logs", ["otlp-json"]),
      limit: integer(`at most so many events or rows of a list, 0 for none (default ${LIMIT})`),
      newest: flag("youngest first, and the limit keeps the youngest"),
      staleCycleSeconds: number("a bound task whose last cycle is older is stuck", { default: 3600 }),
      workerStalenessSeconds: number("a session whose heartbeat is older is stale", { default: 3600 }),
      maxUnfinishedCommands: integer("more unfinished commands are an alert (default 0)"),
      maxOpenCriteria: integer("more accepted criteria that are not yet satisfied are an alert (default 0)"),
      maxStorageBytes: integer("a larger database is an alert (off unless given)"),
      path: pathFlag,
    },
  },
  async (args, cx: Context) => {
    if (args.window && windowSeconds(args.window) === null)
      throw new UsageError(`--window takes a number with s, m, h, d or w, like 24h, not ${JSON.stringify(args.window)}`);
    if (args.format && (args.view !== undefined || args.summary))
      throw new UsageError("--format goes with the listing of events, not with a view or --summary");
    if (args.view !== undefined) {
      const { value, lines, exit } = await showView(cx, args.view, { ...args, limit: args.limit ?? LIMIT });
      if (args.json || lines === null) printJson(cx, value);
      else printLines(cx, lines);
      return exit;
    }
    const store = cx.store(args.path);
    snapshot(store, () => {
      const owners = ownersOf(store, args);
      const filter = { ...args, taskId: args.task ? owners.task?.id : undefined, runId: owners.run?.id };
      if (args.summary) {
        const summary = summariseTelemetry(store, filter, { limit: args.limit, newest: args.newest });
        return args.json ? cx.json(summary) : printLines(cx, summaryLines(summary));
      }
      const stretch = { limit: args.limit ?? LIMIT, newest: args.newest };
      const events = () => listTelemetry(store, filter, stretch);
      if (args.format) printJson(cx, logsDocument(new Stream(() => logRecords(events())), VERSION));
      else if (args.json) printJson(cx, new Stream(events));
      else printLines(cx, eventLines(events()));
    });
  },
);
