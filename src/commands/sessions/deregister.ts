/** `deregister`: marks a session as gone. */
import { jsonFlag, pathFlag, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { deregister } from "../../store/sessions/deregister.ts";
import { needSession } from "../../store/sessions/sessions.ts";

export default verb(
  {
    about: "Marks a registered session as gone. A bound session is refused: unbind its task first. Nothing is stopped.",
    examples: [["deregister worker-1", "the session is over"]],
    positionals: { name: word("name of the session") },
    flags: { json: jsonFlag, path: pathFlag },
  },
  (args, cx: Context) => {
    const store = cx.store(args.path);
    const refusal = deregister(store, needSession(store, args.name));
    if (refusal) throw refusal;
    cx.jsonLine({ name: args.name, state: "gone" });
  },
);
