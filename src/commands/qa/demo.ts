/** `demo`: the main job on this machine with the real agents, without an account or a token. */
import { flag, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { chosenAgent } from "../../core/agent/agents.ts";
import { runDemo } from "../../flow/qa/demo.ts";
import { runCrewDemo } from "../../flow/qa/demo-crew.ts";
import type { DemoTeller } from "../../flow/qa/demo-stage.ts";
import { agentFlags, launchFlags, roleFlags } from "../../flow/sessions/start-session.ts";
import { talkOf } from "../../flow/talk.ts";
import { otherInstalled } from "../../system/agent/cli.ts";
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
      ["demo --crew", "one manager, three workers in git worktrees: two land, one is refused"],
      ["demo --keep", "and look at the records afterwards"],
    ],
    flags: {
      crew: flag(
        "a manager with three workers, each in a git worktree: two land, one is refused since its proof fails on the merge; the third " +
          "runs Claude Code where that is installed, unless --agent or --worker-agent says otherwise",
      ),
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
    const options = { keep: args.keep, launch: args.launch, worker, manager };
    const tell: DemoTeller = (who, what, ms) => log(demoLine(who, what, ms));
    const chosen = args.workerAgent ?? args.agent;
    const third = chosen === undefined ? (otherInstalled(worker, cx.env) ?? worker) : worker;
    const result = args.crew ? await runCrewDemo(cx, options, third, tell) : await runDemo(cx, options, tell);
    if (args.json) cx.json(result);
    else cx.out(demoSummary(result));
    return result.ok ? 0 : 1;
  },
);
