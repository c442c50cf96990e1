/** `doctor-self`: whether the session this runs in can be registered, and as what. */
import { jsonFlag, text, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { doctorSelf } from "../../flow/reports/doctor-self.ts";

export default verb(
  {
    about:
      "Run inside a session: says which tmux session it is in and whether TMUX can be believed, what register-worker --self " +
      "would take, and whether programs and skills are installed. Prints JSON; exit 1 when the session cannot be pushed to.",
    examples: [
      ["doctor-self", "inside the session"],
      ["doctor-self --session codex-w1", "ask about another tmux session"],
    ],
    flags: { session: text("tmux session to ask about", { value: "NAME", filled: true }), json: jsonFlag },
  },
  async (args, cx: Context) => {
    const report = await doctorSelf(cx, args.session);
    cx.json(report);
    return report.ok ? 0 : 1;
  },
);
