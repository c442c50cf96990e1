/** `replay`: what happened on a task, in the order of time. */
import { choice, flag, integer, pathFlag, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { Failure, UsageError } from "../../core/failure.ts";
import { type Entry, REPLAY_FORMATS, REPLAY_ROLES, seesManagement } from "../../core/audit/replay.ts";
import { quoteWord } from "../../core/shell.ts";
import { jsonLines, printJson, printLines, printParts, writeParts } from "../../flow/audit/print.ts";
import { followReplay, isOpen } from "../../flow/audit/replay-follow.ts";
import { snapshot } from "../../store/reading.ts";
import { lastFinish, lastRows, marksNow, replayEntries } from "../../store/audit/replay.ts";
import { needNewestTask } from "../../store/tasks/tasks.ts";
import { Late, Stream } from "../../view/json-stream.ts";
import { entryLines, replayHead, replayText } from "../../view/audit/replay.ts";

export default verb(
  {
    about:
      "Tells what happened on a task: commands and their attempts, messages, decisions, criteria, cycles, " +
      "acknowledgements, continuations and epilogues, oldest first. compact leaves out cycles, transcript " +
      "adds what was seen on the screens, full-transcript prints the stored texts, html makes one page that " +
      "opens without network: a timeline with turns, deliveries and tokens to zoom, search and print.",
    examples: [
      ["replay login-fix", "the whole story"],
      ["replay login-fix --role worker --limit 20", "the last 20 things that concern the worker"],
      ["replay login-fix --follow --limit 5", "what happens next, as it happens"],
      ["replay login-fix --format html --output login-fix.html", "a page for the browser, or for somebody else"],
      ["replay login-fix --format full-transcript --include-content", "with the stored texts of the terminals"],
    ],
    positionals: { task: word("task, by name or id") },
    flags: {
      json: flag("print JSON"),
      format: choice("how much is told, and how", [...REPLAY_FORMATS, "html"], { default: "timeline" }),
      role: choice("only what concerns this role", REPLAY_ROLES, { default: "all" }),
      limit: integer("only the last so many entries, after role and format have chosen"),
      follow: flag("then go on with what is written, until the task is over; with --json one object per line"),
      includeContent: flag("allow full-transcript to print stored texts"),
      output: text("with html: the file to write instead of printing the page", { value: "FILE", filled: true }),
      includeSecrets: flag("with html: leave tokens, keys and passwords as they are"),
      path: pathFlag,
    },
  },
  async (args, cx: Context) => {
    const { format, role, limit } = args;
    if (format !== "html" && args.output !== undefined) throw new UsageError("--output goes with --format html");
    if (format === "html" && args.json && args.output === undefined) throw new UsageError("--json with --format html needs --output");
    if (format === "full-transcript" && !args.includeContent) {
      throw new Failure("full-transcript prints stored terminal texts and needs --include-content", {
        hint: `${cx.program} replay ${quoteWord(args.task)} --format full-transcript --include-content`,
      });
    }
    if (format === "html" && args.follow) throw new UsageError("--follow does not go with --format html");
    const store = cx.store(args.path);
    const ref = args.task;
    if (format === "html") {
      // Loaded only for it: the page is more than all the rest.
      const { replayHtml } = await import("../../flow/audit/replay-html.ts");
      return snapshot(store, () => {
        const task = needNewestTask(store, ref);
        const parts = replayHtml(store, task, { role, limit, secrets: args.includeSecrets });
        if (args.output === undefined) return printParts(cx, parts);
        const written = writeParts(cx.path(args.output), parts);
        return args.json ? cx.json({ ...written, task: task.name }) : cx.out(`${written.output}\t${written.bytes} bytes`);
      });
    }
    const filter = { format, role };
    const story = snapshot(store, () => {
      const task = needNewestTask(store, ref);
      const last = limit === undefined ? null : lastRows(store, task.id, filter, limit).map(({ entry }) => entry);
      const open: Entry[] = [];
      let count = 0;
      const entries = function* (): Generator<Entry> {
        for (const entry of last ?? replayEntries(store, task.id, filter)) {
          count++;
          if (args.follow && isOpen(entry)) open.push(entry);
          yield entry;
        }
      };
      if (args.json && args.follow) printLines(cx, jsonLines(entries()));
      else if (args.json) printJson(cx, { entries: new Stream(entries), entry_count: new Late(() => count), mode: format, role, task });
      else {
        const finish = last ? last.findLast(({ kind }) => kind === "finish") : seesManagement(role) ? lastFinish(store, task.id) : null;
        printLines(cx, replayText(replayHead(task, format, finish ?? null, cx.program), entries()));
      }
      return { task, began: { marks: marksNow(store), open } };
    });
    if (args.follow)
      await followReplay(store, story.task, filter, story.began, (entry) =>
        printLines(cx, args.json ? jsonLines([entry]) : entryLines(entry)),
      );
  },
);
