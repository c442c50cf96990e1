/** `tail`: the newest stored records of a session, without what was said in them. */
import { flag, integer, jsonFlag, pathFlag, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { withoutContent } from "../../core/text-size.ts";
import { newestEvents } from "../../store/observe/codex-events.ts";
import { needSession } from "../../store/sessions/sessions.ts";
import { tx } from "../../store/store.ts";
import { addTelemetry } from "../../store/record/telemetry.ts";

export default verb(
  {
    about:
      "Prints the stored records of a session, newest first. Texts are replaced by their sizes " +
      "unless --include-content is given. It reads no rollout: run ingest or cycle before.",
    examples: [
      ["tail worker-1 --limit 5", "the last five records"],
      ["tail worker-1 --subtype task_complete --include-content", "what it said at the end of its turns"],
    ],
    positionals: { name: word("name of a registered session, worker or manager") },
    flags: {
      limit: integer("how many; 0 prints none", { default: 50, value: "N" }),
      subtype: text("only event_msg records of this kind, for instance task_complete"),
      includeContent: flag("print the texts as they are"),
      json: jsonFlag,
      path: pathFlag,
    },
  },
  (args, cx: Context) => {
    const store = cx.store(args.path);
    const session = needSession(store, args.name);
    const events = newestEvents(store, session.id, { subtype: args.subtype || undefined, limit: args.limit });
    tx(store, () =>
      addTelemetry(store, {
        type: "codex_events_tail_read",
        summary: `${events.length} records of ${session.name} read`,
        correlation: { session: session.name, session_id: session.id },
        attributes: { limit: args.limit, returned_count: events.length, subtype: args.subtype || null },
      }),
    );
    cx.json(
      events.map(({ id, byte_offset, timestamp, type, subtype, payload }) => ({
        id,
        byte_offset,
        timestamp,
        type,
        subtype,
        payload: args.includeContent ? payload : withoutContent(payload),
      })),
    );
  },
);
