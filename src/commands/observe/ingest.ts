/** `ingest`: reads what a session's rollout has gained into the records. */
import { jsonFlag, pathFlag, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { ingest } from "../../flow/observe/ingest.ts";
import { needSession } from "../../store/sessions/sessions.ts";

export default verb(
  {
    about:
      "Reads the complete lines that a session's rollout has gained since the last time, stores them as events and " +
      "moves the session's offset. Repeating it adds nothing twice. A rollout that shrank or was replaced is refused.",
    examples: [["ingest worker-1", "then: conveyor tail worker-1"]],
    positionals: { name: word("name of a registered session, worker or manager") },
    flags: { json: jsonFlag, path: pathFlag },
  },
  (args, cx: Context) => {
    const store = cx.store(args.path);
    const session = needSession(store, args.name);
    cx.json({ session: session.name, ...ingest(cx, store, session) });
  },
);
