/** `events`: the log that a worker or session has in the files, one JSON object a line. */
import { flag, integer, pathFlag, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { parseEvents } from "../../core/compat/log.ts";
import { compatSubject, needSubject } from "../../flow/reach/subject.ts";
import { readCompatText } from "../../system/compat-worker.ts";

export default verb(
  {
    about:
      "Prints the events that were logged for a worker or session by create, nudge, " +
      "interrupt, stop, open and update-status: one JSON object a line, oldest first.",
    examples: [["events worker-1 --type nudge --limit 5", "the last five nudges"]],
    positionals: { name: word("a worker or a registered session") },
    flags: {
      limit: integer("only the last ones; 0 prints all", { value: "N" }),
      type: text("only events of this type"),
      json: flag("print JSON (the default: one object a line)"),
      path: pathFlag,
    },
  },
  (args, cx: Context) => {
    if (!compatSubject(cx.stateRoot, args.name)) needSubject(cx, cx.store(args.path), args.name);
    const { events, broken } = parseEvents(readCompatText(cx.stateRoot, args.name, "events.jsonl") ?? "");
    if (broken > 0) cx.err(`warning: ${broken} ${broken === 1 ? "line" : "lines"} of events.jsonl could not be read`);
    const wanted = args.type ? events.filter((event) => event.type === args.type) : events;
    for (const event of args.limit ? wanted.slice(-args.limit) : wanted) cx.jsonLine(event);
  },
);
