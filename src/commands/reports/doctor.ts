/** `doctor`: whether this machine has what the tool needs. */
import { jsonFlag, text, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { doctor } from "../../flow/reports/doctor.ts";

export default verb(
  {
    about:
      "Looks for tmux and the agents and their versions, for the folder of the work and the state root, and says of each agent in a line " +
      "whether the tests know its version, what the installed Codex can do, whether transcripts held records that no rule knows, and " +
      "whether living sessions run what is installed now. Prints JSON; exit 1 when something needed is missing: of the agents that is " +
      "the one which CONVEYOR_AGENT names, else codex.",
    examples: [["doctor --cwd ~/project", "before the first session in a folder"]],
    flags: { cwd: text("folder of the work; else the current one", { value: "FOLDER" }), json: jsonFlag },
  },
  async (args, cx: Context) => {
    const report = await doctor(cx, args.cwd);
    cx.json(report);
    return report.ok ? 0 : 1;
  },
);
