/** `codex-pane`: what the pane of a session runs that is spoken to by protocol. Started by the commands that start one. */
import { verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { hostPane } from "../../flow/sessions/pane-host.ts";

export default verb(
  {
    about:
      "Runs in the pane of a session: a server of Codex's own for this session alone, and Codex itself drawing it. Commands that start a " +
      "session start this; by hand there is nothing to do with it. It ends with Codex, and leaves what the server printed beside its socket.",
    positionals: { folder: word("where the session's socket and log lie") },
  },
  async (args, cx: Context) => hostPane(cx, cx.path(args.folder)),
);
