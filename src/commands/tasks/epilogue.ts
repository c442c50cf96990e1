/** `epilogue`: the closing steps of a task. */
import { choice, flag, pathFlag, text, verb, word } from "../../args/spec.ts";
import type { Context } from "../../context.ts";
import { epilogueStatus } from "../../core/tasks/epilogue.ts";
import { Failure, UsageError } from "../../core/failure.ts";
import { EPILOGUE_STEPS } from "../../core/tasks/manager-config.ts";
import { quoteWord } from "../../core/shell.ts";
import { runStep } from "../../flow/tasks/epilogue.ts";
import { addEpilogueRun, listEpilogueRuns } from "../../store/tasks/epilogues.ts";
import { findConfig } from "../../store/tasks/manager-configs.ts";
import { needTask } from "../../store/tasks/tasks.ts";

export default verb(
  {
    about:
      "Shows how the configured closing steps of a task stand, or runs one. run-tools asks every expected " +
      "tool for its version; draft-pr writes the text of a pull request and, where repo.open_pr is permitted " +
      "and gh can, opens a draft; subagent-review looks for a continuation review that does not say stop; " +
      "record-handoff looks for a handoff. A step that fails is recorded as failed and may be run again.",
    examples: [
      ["epilogue login-fix --status", "which steps are still missing"],
      ["epilogue login-fix --step run-tools", "run one"],
    ],
    positionals: { task: word("task id or name") },
    flags: {
      step: choice("run this step", EPILOGUE_STEPS),
      list: flag("print all runs and how the steps stand"),
      status: flag("the same as --list"),
      json: flag("with --step: print that JSON too"),
      correlationId: text("ties the run to other records", { value: "ID", filled: true }),
      path: pathFlag,
    },
  },
  async (args, cx: Context) => {
    if (!args.step && !args.list && !args.status) throw new UsageError("one of --step, --list, --status is required");
    const store = cx.store(args.path);
    const task = needTask(store, args.task);
    const config = findConfig(store, task.id);
    const configured = config?.epilogues ?? [];
    if (args.step) {
      if (!config || !configured.includes(args.step)) {
        throw new Failure(
          `${args.step} is not a configured step of task ${JSON.stringify(task.name)}: ${configured.join(", ") || "it has none"}`,
          {
            hint: `${cx.program} manager-config ${quoteWord(task.name)} ${[...configured, args.step].map((step) => `--epilogue ${step}`).join(" ")}`,
          },
        );
      }
      const startedAt = cx.now();
      const outcome = await runStep({ cx, store, task }, config, args.step);
      addEpilogueRun(store, task.id, { ...outcome, step: args.step, startedAt, correlationId: args.correlationId ?? cx.newId("epilogue") });
      if (!args.json && !args.list && !args.status)
        return cx.out(`${args.step}: ${outcome.error === null ? "succeeded" : `failed: ${outcome.error}`}`);
    }
    const runs = listEpilogueRuns(store, task.id);
    cx.json({ task: { id: task.id, name: task.name }, configured_steps: configured, runs, status: epilogueStatus(configured, runs) });
  },
);
