/** `register-manager`: takes a running session on record as manager. */
import { verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { register, registerFlags } from "../../flow/sessions/register.ts";

export default verb(
  {
    about:
      "Registers a running session of Codex or Claude Code as manager. The same name and role again replaces what is known of it and " +
      "revives a session that was gone. With --pid alone its open rollout is found; with --self the session this command runs in is " +
      "taken.",
    examples: [
      ["register-manager --name manager-1 --self", "from inside the session"],
      ["register-manager --name manager-1 --pid 4711 --tmux-session codex-manager-1", "a session in tmux, found by its process"],
    ],
    flags: registerFlags,
  },
  (args, cx: Context) => register(cx, "manager", args),
);
