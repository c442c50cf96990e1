/** `transcript-show`: what was kept of the terminals of a task. */
import { choice, flag, integer, pathFlag, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { ROLES } from "../../core/sessions/session.ts";
import { sizeInstead } from "../../core/text-size.ts";
import { needNewestTask } from "../../store/tasks/tasks.ts";
import { listSegments, type SegmentRow } from "../../store/observe/transcripts.ts";

function shown({ segment_text, ...row }: SegmentRow, includeContent: boolean): Record<string, unknown> {
  if (includeContent) return { ...row, segment_text };
  return segment_text === null ? row : { ...row, ...sizeInstead("segment_text", segment_text) };
}

const head = ({ id, role, captured_at, segment_kind }: SegmentRow): string =>
  `== ${role} ${id} ${/T(\d\d:\d\d:\d\d)/.exec(captured_at)?.[1] ?? captured_at} ${segment_kind}`;

function body(row: SegmentRow, includeContent: boolean): string {
  if (row.segment_text === null) return "[metadata only]";
  return includeContent ? row.segment_text : `[${row.line_count} lines, ${row.byte_count} bytes; --include-content shows them]`;
}

export default verb(
  {
    about: "Prints the transcript segments of a task in the order in which they were captured; their text only with --include-content.",
    examples: [["transcript-show login-fix --role worker --limit 3 --include-content", "the last three pieces of the worker's terminal"]],
    positionals: { task: word("a task, by name or id") },
    flags: {
      role: choice("whose terminal", ["all", ...ROLES], { default: "all" }),
      limit: integer("only the newest ones; 0 shows all", { value: "N" }),
      json: flag("print JSON"),
      includeContent: flag("print the texts themselves"),
      path: pathFlag,
    },
  },
  (args, cx: Context) => {
    const store = cx.store(args.path);
    const { id, name, state } = needNewestTask(store, args.task);
    const segments = listSegments(store, id, args.role === "all" ? null : args.role, args.limit || -1);
    if (args.json) return cx.json({ task: { id, name, state }, segments: segments.map((row) => shown(row, args.includeContent)) });
    for (const row of segments) cx.out(`${head(row)}\n${body(row, args.includeContent)}`);
  },
);
