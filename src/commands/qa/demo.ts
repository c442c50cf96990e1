/** `demo`: the main job on this machine with the real agents, without an account or a token. */
import { flag, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { chosenAgent } from "../../core/agent/agents.ts";
import { runDemo } from "../../flow/qa/demo.ts";
import { agentFlags, launchFlags, roleFlags } from "../../flow/sessions/start-session.ts";
import { talkOf } from "../../flow/talk.ts";
import { demoLine, demoSummary } from "../../view/demo.ts";

export default verb(
  {
    about:
      "Tries the main job: two real sessions come up in a private world, one supervises the other, the work is " +
      "checked and finished, and every step is proven in what they write. A script answers in place of the model, so that " +
      "neither account nor token is needed; all commands really run. Nothing outside a folder of its own is touched.",
    examples: [
      ["demo", "watch it happen"],
      ["demo --worker-agent claude", "a manager of one kind, a worker of the other"],
      ["demo --keep", "and look at the records afterwards"],
    ],
    flags: {
      keep: flag("keep the folder with database and transcripts"),
      agent: agentFlags.agent,
      workerAgent: roleFlags.workerAgent,
      managerAgent: roleFlags.managerAgent,
      launch: launchFlags.launch,
      json: flag("print the result as JSON"),
    },
  },
  async (args, cx: Context) => {
    const worker = chosenAgent(cx.env, args.workerAgent ?? args.agent);
    const manager = chosenAgent(cx.env, args.managerAgent ?? args.agent);
    const { log } = talkOf(cx, `${cx.program} demo`);
    const result = await runDemo(cx, { keep: args.keep, launch: args.launch, worker, manager }, (who, what, ms) =>
      log(demoLine(who, what, ms)),
    );
    if (args.json) cx.json(result);
    else cx.out(demoSummary(result));
    return result.ok ? 0 : 1;
  },
);
