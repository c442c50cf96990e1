/** `start`: opens the agent in tmux with instructions how to become a supervised worker; registers nothing. */
import { join } from "node:path";
import { flag, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { chosenAgent } from "../../core/agent/agents.ts";
import { startCommands, startPrompt } from "../../core/agent/start-prompt.ts";
import { quoteCommand } from "../../core/shell.ts";
import { checkTmuxFree } from "../../flow/sessions/launch.ts";
import { checkPlainSession, openPlainSession } from "../../flow/sessions/plain-session.ts";
import { agentFlags, launchFlag } from "../../flow/sessions/start-session.ts";
import { undertake } from "../../flow/sessions/undertaking.ts";
import { launchWish } from "../../flow/sessions/way-of-launch.ts";
import { writeWhole } from "../../system/files/whole-file.ts";

export default verb(
  {
    about:
      "Starts the agent in a detached tmux session SESSION and gives it a prompt that says how it becomes a supervised worker: names " +
      "are asked for, never invented. Every flag that is not listed here goes to the agent unchanged; for Codex, with one that is not " +
      "known to go with a server of its own, it is started alone in its terminal. No records are written: registering it finds its " +
      "server.",
    examples: [
      ["start my-session", "the agent in tmux, with the set-up prompt"],
      ["start my-session --no-start-prompt -- --search", "flags for Codex after --"],
    ],
    positionals: { session: word("name of the tmux session") },
    flags: {
      ...agentFlags,
      cwd: text("folder in which the agent works; else the current one", { value: "FOLDER" }),
      launch: launchFlag,
      noStartPrompt: flag("give it no first words"),
    },
    passUnknown: true,
  },
  async (args, cx: Context) => {
    const { session, unknown: flags } = args;
    const cwd = cx.path(args.cwd ?? cx.cwd);
    const agent = chosenAgent(cx.env, args.agent);
    const choice = { model: args.model ?? null, effort: args.effort ?? null };
    const wish = launchWish(cx, args.launch);
    checkPlainSession(cx, agent, session, cwd, choice);
    await checkTmuxFree(cx, session);
    const commands = startCommands(cx.program, { agent: agent === chosenAgent({}) ? null : agent.key, session, cwd, flags });
    const promptPath = args.noStartPrompt ? null : join(cx.stateRoot, "artifacts", "start-prompts", `${session}.md`);
    const prompt = promptPath === null ? null : startPrompt(cx.program, session, cwd, commands);
    const ending = quoteCommand(["tmux", "kill-session", "-t", `=${session}`]);
    const { launch, launchWhy } = await undertake(cx, async (under) => {
      if (promptPath !== null && prompt !== null) {
        under.leavesFile(promptPath);
        writeWhole(promptPath, `${prompt}\n`);
      }
      const terminal = under.begins({ name: session, tmuxSession: session, mark: cx.newId("start"), ending });
      return (await openPlainSession(cx, under, agent, { ...choice, session, cwd, flags, prompt, wish }, terminal)).started;
    });
    cx.json({
      agent: agent.key,
      session,
      cwd,
      launch,
      launch_why: launchWhy,
      attach_command: `tmux attach -t ${session}`,
      start_prompt_path: promptPath,
      start_prompt_sent: prompt !== null,
      register_worker_command_template: commands.registerWorker,
      start_manager_command_template: commands.startManager,
      bind_command_template: commands.bind,
      manager_config_questions_command_template: commands.questions,
    });
  },
);
