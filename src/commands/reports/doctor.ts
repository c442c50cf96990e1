/** `doctor`: whether this machine has what the tool needs. */
import { jsonFlag, text, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { doctor } from "../../flow/reports/doctor.ts";

export default verb(
  {
    about:
      "Looks for tmux and the agents and their versions, for the folder of the work and the state root, and says what each agent that is " +
      "installed can do, whether rollouts held records that no rule knows, and whether living sessions run what is installed now. " +
      "Prints JSON; exit 1 when something needed is missing.",
    examples: [["doctor --cwd ~/project", "before the first session in a folder"]],
    flags: { cwd: text("folder of the work; else the current one", { value: "FOLDER" }), json: jsonFlag },
  },
  async (args, cx: Context) => {
    const report = await doctor(cx, args.cwd);
    cx.json(report);
    if (cx.outside.tty.out)
      for (const { program, path, notes } of report.agents)
        for (const note of path === null ? [] : notes) cx.err(`warning: ${program}: ${note}`);
    return report.ok ? 0 : 1;
  },
);
