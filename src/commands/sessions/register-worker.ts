/** `register-worker`: takes a running session on record as worker. */
import { verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { register, registerFlags } from "../../flow/sessions/register.ts";

export default verb(
  {
    about:
      "Registers a running session of Codex or Claude Code as worker. The same name and role again replaces what is known of it and " +
      "revives a session that was gone. With --pid alone its open rollout is found; with --self the session this command runs in is " +
      "taken.",
    examples: [
      ["register-worker --name worker-1 --self", "from inside the session"],
      ["register-worker --name worker-1 --pid 4711 --tmux-session codex-worker-1", "a session in tmux, found by its process"],
    ],
    flags: registerFlags,
  },
  (args, cx: Context) => register(cx, "worker", args),
);
