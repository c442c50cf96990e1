/** `classify`: what the text of a screen says about a worker, without a worker. */
import { choice, integer, jsonFlag, text, verb } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { agentKeys, chosenAgent } from "../../core/agent/agents.ts";
import { readText } from "../../system/files/text-file.ts";

export default verb(
  {
    about:
      "Judges the text of an agent's screen as cycle, idle-check and the start commands do: how far the " +
      "start has come, whether it waits for somebody, which page it is. It reads and writes no records.",
    examples: [
      ["classify --file screen.txt", "a screen kept in a file"],
      ["classify --agent claude --file screen.txt", "a screen of Claude Code"],
      ["classify --text 'Press enter to confirm' --status-age-seconds 120", "a screen given as a word"],
    ],
    flags: {
      text: text("the screen (before --file; without both it is read from standard input)"),
      file: text("file that holds the screen", { value: "FILE", filled: true }),
      agent: choice("whose screen it is; else CONVEYOR_AGENT, else codex", agentKeys, { value: "AGENT" }),
      statusAgeSeconds: integer("how old the worker's last state is", { default: 90, value: "SECONDS" }),
      busyWaitSeconds: integer("younger states than this make every waiting pattern silent", { default: 90, value: "SECONDS" }),
      json: jsonFlag,
    },
  },
  (args, cx: Context) => {
    const screen = args.text ?? (args.file === undefined ? cx.stdin() : readText(cx.path(args.file)));
    const agent = chosenAgent(cx.env, args.agent).screen;
    const startup = agent.startup(screen);
    const read = agent.read(screen, null);
    cx.json({
      busy_wait: agent.waitOf(read, screen, { statusAge: args.statusAgeSeconds, busyWaitSeconds: args.busyWaitSeconds }),
      busy_wait_seconds: args.busyWaitSeconds,
      page: read.page,
      startup: startup.state,
      startup_reason: startup.reason,
      status_age_seconds: args.statusAgeSeconds,
    });
  },
);
