/** `agents`: which agents are installed here, and what can be done with them. */
import { flag, verb } from "../args/spec.ts";
import type { Context } from "../context.ts";
import { agentReports } from "../system/agent/cli.ts";
import { agentTable } from "../view/agents.ts";

export default verb(
  {
    about:
      "Lists the agents that this version knows: the program found on PATH, its version, whether the tests know that version, and what can " +
      "be done with a session of it. Nothing is started but the programs themselves, to ask for their version.",
    examples: [
      ["agents", "a table, and what can be done with each"],
      ["agents --json", "the same for a program"],
    ],
    flags: { json: flag("print JSON") },
  },
  async (args, cx: Context) => {
    const found = await agentReports(cx.env);
    if (args.json) cx.json(found);
    else cx.out(agentTable(found));
  },
);
