/** `replay`: what happened on a task, in the order of time. */
import { choice, flag, integer, pathFlag, verb, word } from "../args/spec.ts";
import type { Context } from "../context.ts";
import { Failure } from "../core/failure.ts";
import { REPLAY_FORMATS, REPLAY_ROLES } from "../core/replay.ts";
import { quoteWord } from "../core/shell.ts";
import { printJson, printLines } from "../flow/print.ts";
import { snapshot } from "../store/reading.ts";
import { lastEntries, lastFinish, replayEntries } from "../store/replay.ts";
import { needTask } from "../store/tasks.ts";
import { Late, Stream } from "../view/json-stream.ts";
import { replayHead, replayText } from "../view/replay.ts";

export default verb(
  {
    about:
      "Tells what happened on a task: commands and their attempts, messages, decisions, criteria, cycles, acknowledgements, continuations and epilogues, oldest first. compact leaves out cycles, transcript adds what was seen on the screens, full-transcript prints the stored texts.",
    examples: [
      ["replay login-fix", "the whole story"],
      ["replay login-fix --role worker --limit 20", "the last 20 things that concern the worker"],
      ["replay login-fix --format full-transcript --include-content", "with the stored texts of the terminals"],
    ],
    positionals: { task: word("task, by name or id") },
    flags: {
      json: flag("print JSON"),
      format: choice("how much is told", REPLAY_FORMATS, { default: "timeline" }),
      role: choice("only what concerns this role", REPLAY_ROLES, { default: "all" }),
      limit: integer("only the last so many entries, after role and format have chosen"),
      includeContent: flag("allow full-transcript to print stored texts"),
      path: pathFlag,
    },
  },
  (args, cx: Context) => {
    const { format, role, limit } = args;
    if (format === "full-transcript" && !args.includeContent) {
      throw new Failure("full-transcript prints stored terminal texts and needs --include-content", { hint: `conveyor replay ${quoteWord(args.task)} --format full-transcript --include-content` });
    }
    const store = cx.store(args.path);
    snapshot(store, () => {
      const task = needTask(store, args.task);
      const filter = { format, role };
      const last = limit === undefined ? null : lastEntries(store, task.id, filter, limit);
      const entries = () => last ?? replayEntries(store, task.id, filter);
      if (args.json) {
        let count = 0;
        const counted = function* () {
          for (const entry of entries()) {
            count++;
            yield entry;
          }
        };
        return printJson(cx, { entries: new Stream(counted), entry_count: new Late(() => count), mode: format, role, task });
      }
      const finish = last ? last.findLast(({ kind }) => kind === "finish") : role === "all" || role === "manager" ? lastFinish(store, task.id) : null;
      printLines(cx, replayText(replayHead(task, format, finish ?? null, cx.program), entries()));
    });
  },
);
