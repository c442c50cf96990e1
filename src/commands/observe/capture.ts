/** `capture`: records what stands on the terminal of a worker or session. */
import { flag, integer, jsonFlag, pathFlag, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { capture } from "../../flow/observe/capture.ts";
import { needPane } from "../../flow/reach/pane.ts";
import { needSubject } from "../../flow/reach/subject.ts";

export default verb(
  {
    about:
      "Records the screen and history of a running terminal, in full only where " +
      "it differs from the capture before, and prints its size and digest.",
    examples: [
      ["capture worker-1", "size, digest, and where the text was written"],
      ["capture worker-1 --include-content", "the text itself"],
    ],
    positionals: { name: word("a worker or a registered session") },
    flags: {
      lines: integer("lines of history above the screen", { default: 200, value: "N" }),
      includeContent: flag("print the text, and nothing else"),
      json: jsonFlag,
      path: pathFlag,
    },
  },
  async (args, cx: Context) => {
    const store = cx.store(args.path);
    const subject = needSubject(cx, store, args.name);
    const pane = await needPane(cx, subject);
    const { text, page, meta, byte_count, line_count, transcript_path } = await capture({ cx, store, subject }, pane, args.lines);
    if (args.includeContent) {
      if (text !== "") cx.out(text);
      return;
    }
    cx.json({
      name: subject.name,
      content_redacted: true,
      byte_count,
      line_count,
      history_lines: meta.history_lines,
      page,
      sha256: meta.sha256,
      transcript_path,
    });
  },
);
